//! What [`SecretUrls`] are made of, and what can be wrong with it.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Links that let in whoever has them: signed, good for a while, and for one method of one target.
///
/// Made for downloads and invitations. [`sign`](Self::sign) makes a link for an
/// [`Identity`](crate::Identity): its subject, scopes, roles and permissions stand in the link, and
/// whoever follows it is let in as that, there and nowhere else.
///
/// ```
/// use std::time::Duration;
///
/// use auth_runtime::routing::get;
/// use auth_runtime::{Guard, GuardedRouter, Identity, ProtectionSpace, SecretUrls, requires};
/// use axum::http::Method;
///
/// #[requires(scope = "files:read", schemes("SecretUrl"), hide_as = 404)]
/// async fn download(guard: Guard) -> String {
///     format!("shared by {}", guard.identity().subject())
/// }
///
/// # let random_bytes = [7; 32];
/// let urls = SecretUrls::builder().key("2026-11", &random_bytes).build()?;
/// let space = ProtectionSpace::builder().scheme(urls.clone()).build()?;
/// let app = GuardedRouter::new().route("/files/{id}", get(download)).protect(space)?;
///
/// let shared = Identity::new("user-17").with_scopes(["files:read"]);
/// let link = urls.sign(&Method::GET, "/files/7", Duration::from_secs(900), &shared)?;
/// assert!(link.starts_with("/files/7?secret_link=2026-11."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **What is signed** (HMAC-SHA-256) is the method and every byte of the target in front of the
/// signature, as the client sends them: path, other parameters, key id, expiry and grants. Nothing
/// may stand behind it. So there is no parameter that a link does not speak of, and no second
/// spelling of a path that it opens; a tracker's parameter appended to it breaks it. `HEAD` goes
/// with `GET`. Host and scheme are not signed: let services that are not to take each other's links
/// have different keys.
///
/// **A bad link** is no credentials at all: a link that is wrong, altered or expired is answered as
/// if it were not there, and with `hide_as = 404` that is the answer of a path that was never
/// there. No challenge asks for a link (RFC 9110 §11.3 has none that could), so a handler that
/// accepts nothing else has to hide: [`protect`](crate::GuardedRouter::protect) refuses it
/// otherwise. A link beside other credentials, or two of them, are 400 as everywhere.
///
/// **Keys** are named. The first one signs, all of them verify. To change it without breaking
/// links, add the new one behind the old one on every instance, then put it first, and take the old
/// one out once its last link has expired. A key that leaked is taken out at once, and its links
/// with it.
///
/// **A link is a secret that stands in a URL** (RFC 9110 §17.9): it gets into histories, logs and
/// mail archives. Keep the query out of your logs, let links live shortly, and let them carry an id
/// in place of a name, since what is in them is signed but can be read. Answers to links are kept
/// from shared caches, and are sent with `Referrer-Policy: strict-origin`, so that the pages do not
/// pass their link on; under a [`GuardedRouter`](crate::GuardedRouter), that is.
///
/// **Once only**: mail scanners and chats follow links before their readers do, so let `GET` show a
/// page, and let its form `POST` to a link of its own. A link that is good once has an id for its
/// subject, and the handler a `check = not_used_yet` that looks the id up.
#[derive(Clone)]
pub struct SecretUrls {
    pub(super) signing: Arc<Key>,
    /// With the one that signs.
    pub(super) keys: Arc<[Arc<Key>]>,
}

pub(super) struct Key {
    pub(super) id: String,
    /// Padded to a block, as HMAC does it anyway.
    pub(super) block: Zeroizing<[u8; BLOCK]>,
}

/// That of SHA-256.
const BLOCK: usize = 64;
/// As much as HMAC-SHA-256 is strong (RFC 2104 §3).
const MIN_KEY: usize = 32;
const MAX_ID: usize = 32;

impl SecretUrls {
    /// Starts without keys.
    pub fn builder() -> SecretUrlsBuilder {
        SecretUrlsBuilder {
            keys: Vec::new(),
            error: None,
        }
    }
}

/// Collects the keys of [`SecretUrls`].
#[must_use]
pub struct SecretUrlsBuilder {
    keys: Vec<Arc<Key>>,
    error: Option<SecretUrlsError>,
}

impl SecretUrlsBuilder {
    /// A key: 32 to 64 random bytes, and a name for it that stands in the links. The first one
    /// signs, all of them verify. One at least is required.
    ///
    /// The name has up to 32 ASCII letters, digits, `-` and `_`.
    pub fn key(mut self, id: impl Into<String>, bytes: &[u8]) -> Self {
        let id = id.into();
        if let Some(error) = self.mistake(&id, bytes) {
            self.error.get_or_insert(error);
        }
        self.keys.push(Arc::new(Key {
            id,
            block: padded(bytes),
        }));
        self
    }

    fn mistake(&self, id: &str, bytes: &[u8]) -> Option<SecretUrlsError> {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let id = id.to_owned();
        if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(is_legal) {
            return Some(SecretUrlsError::Id(id));
        }
        if bytes.len() < MIN_KEY || bytes.len() > BLOCK {
            return Some(SecretUrlsError::KeyLength(id));
        }
        // A key under a second name would be changed for nothing.
        let mut earlier = self.keys.iter();
        earlier
            .any(|key| key.id == id || key.block == padded(bytes))
            .then_some(SecretUrlsError::KeyTwice(id))
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`SecretUrlsError`] says what is missing or cannot be right.
    pub fn build(self) -> Result<SecretUrls, SecretUrlsError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let signing = self.keys.first().ok_or(SecretUrlsError::NoKey)?;
        Ok(SecretUrls {
            signing: Arc::clone(signing),
            keys: self.keys.into(),
        })
    }
}

fn padded(bytes: &[u8]) -> Zeroizing<[u8; BLOCK]> {
    let mut block = Zeroizing::new([0; BLOCK]);
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = *from;
    }
    block
}

/// What keeps [`SecretUrls`] from being built. Keys are named by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretUrlsError {
    /// No key was given.
    NoKey,
    /// A name that could not stand in a link.
    Id(String),
    /// The key of this name is shorter than 32 bytes, or longer than 64.
    KeyLength(String),
    /// The key of this name, or its name, is that of an earlier one.
    KeyTwice(String),
}

impl fmt::Display for SecretUrlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => {
                f.write_str("there is no key to sign links with; add one with `.key(…)`")
            }
            Self::Id(id) => write!(
                f,
                "a key cannot be named {id:?}; 1 to {MAX_ID} ASCII letters, digits, `-` and `_` are fine",
            ),
            Self::KeyLength(id) => write!(
                f,
                "the key {id:?} does not have {MIN_KEY} to {BLOCK} bytes; take {MIN_KEY} random ones",
            ),
            Self::KeyTwice(id) => write!(
                f,
                "the key {id:?} has the name or the bytes of an earlier one"
            ),
        }
    }
}

impl std::error::Error for SecretUrlsError {}

impl fmt::Debug for SecretUrlsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretUrlsBuilder")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}
