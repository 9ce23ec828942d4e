//! The builder of [`SignedUrls`], and its errors.

use std::fmt;
use std::sync::Arc;

use auth_runtime_core::Clock;

use crate::hmac_key::{BLOCK, HmacKey};

/// Signed links: credentials for one method of one target, for a limited time.
///
/// They are intended for downloads and invitations. [`sign`](Self::sign) creates a link for an
/// [`Identity`](auth_runtime_core::Identity). Its subject, scopes, roles and permissions are in the link. A
/// client with the link is granted them, for this target only.
///
/// ```
/// use std::time::Duration;
///
/// use auth_runtime::routing::get;
/// use auth_runtime::{Guard, GuardedRouter, Identity, ProtectionSpace, requires};
/// use auth_runtime::schemes::SignedUrls;
/// use axum::http::Method;
///
/// #[requires(scope = "files:read", schemes("SignedUrl"), hide_as = 404)]
/// async fn download(guard: Guard) -> String {
///     format!("shared by {}", guard.identity().subject())
/// }
///
/// # let random_bytes = [7; 32];
/// let urls = SignedUrls::builder().key("2026-11", &random_bytes).build()?;
/// let space = ProtectionSpace::builder().scheme(urls.clone()).build()?;
/// let app = GuardedRouter::new().route("/files/{id}", get(download)).protect(space)?;
///
/// let shared = Identity::new("user-17").with_scopes(["files:read"]);
/// let link = urls.sign(&Method::GET, "/files/7", Duration::from_secs(900), &shared)?;
/// assert!(link.starts_with("/files/7?secret_link=2026-11."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **The signature** (HMAC-SHA-256) covers the method and every byte of the target before the
/// signature, as the client sends them: path, other parameters, key id, expiry and grants. No text
/// may follow it. So a link allows no additional parameter and no second spelling of a path, and an
/// appended tracking parameter invalidates it. A link for `GET` is also valid for `HEAD`. Host and
/// scheme are not signed: services that must not accept each other's links need different keys.
///
/// **An invalid link** counts as no credentials. The response to a forged, altered or expired link
/// is the same as without it, and with `hide_as = 404` it is that of an unknown path. No challenge
/// can ask for a link (RFC 9110 §11.3 has none for it), so a handler that accepts only links has to
/// hide. `protect` returns an error otherwise. A valid link beside
/// other explicit credentials leads to a 400, and so do two links, as for other schemes.
///
/// **Keys** have names. The first one signs, all of them verify. To change the signing key without
/// invalidating links, add the new key after the old one on every instance, then move it to the
/// front, and remove the old one when its last link has expired. Remove a leaked key at once, which
/// invalidates its links.
///
/// **A link is a secret in a URL** (RFC 9110 §17.9): it is recorded in histories, logs and mail
/// archives. Remove the query from logs, use short lifetimes, and put an id into links in place of
/// a name, since their content is signed but readable. In a
/// `GuardedRouter`, responses to links are not stored by shared caches, and
/// have `Referrer-Policy: strict-origin`, so that pages do not disclose their link.
///
/// **Single use**: mail scanners and chats request links before their readers do. Therefore `GET`
/// should only show a page, and its form should `POST` to a link of its own. A link for single use
/// has an id as its subject, and the handler has a `check = not_used_yet` that looks the id up.
#[derive(Clone)]
pub struct SignedUrls {
    pub(super) signing: Arc<SigningKey>,
    /// All keys, including the signing one.
    pub(super) keys: Arc<[Arc<SigningKey>]>,
    pub(super) clock: Clock,
}

pub(super) struct SigningKey {
    pub(super) id: String,
    pub(super) key: HmacKey,
}

/// The shortest key, in bytes: the strength of HMAC-SHA-256 (RFC 2104 §3).
const MIN_KEY: usize = 32;
const MAX_ID: usize = 32;

impl SignedUrls {
    /// Starts without keys.
    pub fn builder() -> SignedUrlsBuilder {
        SignedUrlsBuilder {
            keys: Vec::new(),
            clock: Clock::system(),
            error: None,
        }
    }
}

/// Builds [`SignedUrls`].
#[must_use]
pub struct SignedUrlsBuilder {
    keys: Vec<Arc<SigningKey>>,
    clock: Clock,
    error: Option<SignedUrlsError>,
}

impl SignedUrlsBuilder {
    /// Adds a key: 32 to 64 random bytes, and a name for it that is visible in the links. The first
    /// one signs, all of them verify. At least one is required.
    ///
    /// The name has up to 32 ASCII letters, digits, `-` and `_`.
    pub fn key(mut self, id: impl Into<String>, bytes: &[u8]) -> Self {
        let id = id.into();
        if let Some(error) = self.mistake(&id, bytes) {
            self.error.get_or_insert(error);
        }
        self.keys.push(Arc::new(SigningKey {
            id,
            key: HmacKey::new(bytes),
        }));
        self
    }

    fn mistake(&self, id: &str, bytes: &[u8]) -> Option<SignedUrlsError> {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let id = id.to_owned();
        if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(is_legal) {
            return Some(SignedUrlsError::Id(id));
        }
        if bytes.len() < MIN_KEY || bytes.len() > BLOCK {
            return Some(SignedUrlsError::KeyLength(id));
        }
        // Rotation to the same key under a second name would have no effect.
        let mut earlier = self.keys.iter();
        earlier
            .any(|earlier| earlier.id == id || earlier.key == HmacKey::new(bytes))
            .then_some(SignedUrlsError::KeyTwice(id))
    }

    /// Sets the clock that links expire by. Default: the clock of the system.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the scheme.
    ///
    /// # Errors
    ///
    /// [`SignedUrlsError`] names the first setting that is missing or invalid.
    pub fn build(self) -> Result<SignedUrls, SignedUrlsError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let signing = self.keys.first().ok_or(SignedUrlsError::NoKey)?;
        Ok(SignedUrls {
            signing: Arc::clone(signing),
            keys: self.keys.into(),
            clock: self.clock,
        })
    }
}

/// An error of building [`SignedUrls`]. Keys are named by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedUrlsError {
    /// No key was given.
    NoKey,
    /// The name cannot be part of a link.
    Id(String),
    /// The key of this name is shorter than 32 bytes, or longer than 64.
    KeyLength(String),
    /// The key of this name, or its name, is that of an earlier one.
    KeyTwice(String),
}

impl fmt::Display for SignedUrlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("no key was added; add one with `.key(…)`"),
            Self::Id(id) => write!(
                f,
                "{id:?} is not the name of a key; 1 to {MAX_ID} ASCII letters, digits, `-` and \
                 `_` are allowed",
            ),
            Self::KeyLength(id) => write!(
                f,
                "the key {id:?} does not have {MIN_KEY} to {BLOCK} bytes; use {MIN_KEY} random \
                 bytes",
            ),
            Self::KeyTwice(id) => write!(
                f,
                "the key {id:?} has the name or the bytes of an earlier one"
            ),
        }
    }
}

impl std::error::Error for SignedUrlsError {}

impl fmt::Debug for SignedUrlsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedUrlsBuilder")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}
