//! Signed links that are credentials themselves, for a limited time.

mod builder;
mod link;

use std::fmt;
use std::sync::Arc;

use auth_runtime_core::{Caller, Clock, Credentials, Rejection, Scheme, Source, Verification};

pub use self::builder::{SignedUrlsBuilder, SignedUrlsError};
pub use self::link::LinkError;
use crate::hmac_key::HmacKey;

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
/// An id in the path must not be given to a later object while the link is valid. SQLite may give the
/// id of a deleted row again, unless the column is `AUTOINCREMENT`.
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
    signing: Arc<SigningKey>,
    /// All keys, including the signing one.
    keys: Arc<[Arc<SigningKey>]>,
    clock: Clock,
}

struct SigningKey {
    id: String,
    key: HmacKey,
}

/// The last parameter of a link. Programs that remove secrets from logs look for the word.
const PARAMETER: &str = "secret_link";

impl Scheme for SignedUrls {
    fn name(&self) -> &str {
        "SignedUrl"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Query(PARAMETER.to_owned())]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let target = credentials.uri().path_and_query();
        let identity = target.map_or(Err(Rejection::Malformed), |target| {
            self.open(credentials.method(), target.as_str(), credentials.value())
        });
        Verification::done(identity.map_or_else(Caller::Rejected, Caller::Known))
    }

    /// A client without a link cannot obtain one through a challenge.
    fn has_challenge(&self) -> bool {
        false
    }
}

impl fmt::Debug for SignedUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.keys.iter().map(|key| &key.id).collect();
        f.debug_struct("SignedUrls")
            .field("keys", &ids)
            .finish_non_exhaustive()
    }
}
