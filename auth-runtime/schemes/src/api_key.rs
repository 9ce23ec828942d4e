//! API keys in a header field.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use auth_runtime_core::{
    Caller, Credentials, Identity, ProtectionSpace, Scheme, Source, Verification,
};
use http::HeaderName;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::field::credential_field;
use crate::hex::parse_sha256;

/// API keys that programs send in a header field.
///
/// | keys | constructor |
/// |---|---|
/// | up to some thousands, given at the start | [`builder`](Self::builder) |
/// | rows of the service's own table | [`look_up`](Self::look_up): a function of the key |
///
/// Only the SHA-256 hashes of configured keys are kept. The hash of a received key is
/// compared with all of them in constant time, without an early exit, so the time reveals nothing
/// about the keys. The cost is linear.
///
/// ```
/// use auth_runtime::Identity;
/// use auth_runtime::schemes::ApiKeys;
///
/// let keys = ApiKeys::builder()
///     .field("x-api-key")
///     .key("k-4f1c0b6e9a8d47d2", Identity::new("billing").with_scopes(["invoices:read"]))
///     .build()?;
/// # Ok::<(), auth_runtime::schemes::ApiKeysError>(())
/// ```
///
/// **Replacement of a key.** Add the new key for the same caller, and give the identity of the old one an
/// [expiry](Identity::with_expiry): from that time on, the old key is rejected.
///
/// The scheme in its challenge, `ApiKey`, is not registered. HTTP has no registered scheme for keys
/// in a custom field, but RFC 9110 §15.5.2 requires a challenge.
///
/// Keys of applications, beside the token of a user, are added by
/// [`with_application`](auth_runtime_core::SchemeExt::with_application).
#[derive(Clone)]
pub struct ApiKeys {
    scheme: String,
    field: HeaderName,
    keys: Keys,
}

#[derive(Clone)]
enum Keys {
    Table(Vec<(Sha256Digest, Identity)>),
    LookUp(Arc<LookUp>),
}

type LookUp = dyn Fn(String) -> Verification + Send + Sync;

type Sha256Digest = [u8; 32];

/// The default name of the scheme.
const SCHEME: &str = "ApiKey";
/// The default field.
const FIELD: &str = "x-api-key";

impl ApiKeys {
    /// Starts with the field `x-api-key`, the scheme `ApiKey` and no keys.
    pub fn builder() -> ApiKeysBuilder {
        ApiKeysBuilder {
            scheme: SCHEME.to_owned(),
            field: FIELD.to_owned(),
            keys: Vec::new(),
            error: None,
        }
    }

    /// Starts with a function that looks up a key in the service's own table, the field `x-api-key` and the scheme
    /// `ApiKey`.
    ///
    /// The function receives a key of visible ASCII and spaces, of at most
    /// [`ProtectionSpace::MAX_CREDENTIALS`](auth_runtime_core::ProtectionSpace::MAX_CREDENTIALS) bytes. A table should
    /// store the hash of a key, so that neither the time of the look-up nor a leaked table reveals keys. If the table
    /// is unavailable, the function returns [`Caller::unverifiable`].
    ///
    /// ```
    /// use auth_runtime::schemes::ApiKeys;
    /// use auth_runtime::{Caller, Identity};
    /// use sha2::{Digest, Sha256};
    ///
    /// # async fn find(_: &[u8]) -> Result<Option<String>, std::io::Error> { Ok(None) }
    /// let keys = ApiKeys::look_up(async |key| match find(&Sha256::digest(key)).await {
    ///     Ok(Some(owner)) => Caller::known(Identity::new(owner)),
    ///     Ok(None) => Caller::rejected(),
    ///     Err(error) => {
    ///         tracing::error!(%error, "keys cannot be looked up");
    ///         Caller::unverifiable()
    ///     }
    /// });
    /// let keys = keys.field("x-api-key").build()?;
    /// # Ok::<(), auth_runtime::schemes::ApiKeysError>(())
    /// ```
    pub fn look_up<F>(look_up: impl Fn(String) -> F + Send + Sync + 'static) -> ApiKeyLookUpBuilder
    where
        F: Future<Output: Into<Caller>> + Send + 'static,
    {
        ApiKeyLookUpBuilder {
            scheme: SCHEME.to_owned(),
            field: FIELD.to_owned(),
            look_up: Arc::new(move |key| Verification::pending(look_up(key))),
        }
    }
}

impl Scheme for ApiKeys {
    fn name(&self) -> &str {
        &self.scheme
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Field(self.field.clone())]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let table = match &self.keys {
            Keys::Table(table) => table,
            Keys::LookUp(look_up) => return look_up(credentials.value().to_owned()),
        };
        let sent = sha256(credentials.value());
        let mut caller = Caller::rejected();
        for (digest, identity) in table {
            if digest.ct_eq(&sent).into() {
                caller = Caller::known(identity.clone());
            }
        }
        Verification::done(caller)
    }
}

fn sha256(key: &str) -> Sha256Digest {
    Sha256::digest(key.as_bytes()).into()
}

/// Builds [`ApiKeys`] that are given at the start.
#[must_use]
pub struct ApiKeysBuilder {
    scheme: String,
    field: String,
    keys: Vec<(Sha256Digest, Identity)>,
    error: Option<ApiKeysError>,
}

/// The shortest key, in bytes: 64 bits of randomness in hexadecimal digits. Shorter keys can be
/// guessed.
const MIN_KEY: usize = 16;

impl ApiKeysBuilder {
    /// Sets the field that keys are read from. Default: `x-api-key`.
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.field = name.into();
        self
    }

    /// Sets the name of the scheme in the challenge. Default: `ApiKey`.
    pub fn scheme_name(mut self, name: impl Into<String>) -> Self {
        self.scheme = name.into();
        self
    }

    /// Adds a key for `identity`: 16 bytes or more of visible ASCII and spaces, without whitespace around them. The key is
    /// hashed at once, and not kept.
    pub fn key(mut self, key: &str, identity: Identity) -> Self {
        let subject = || identity.subject().to_owned();
        if !is_received_unchanged(key) {
            self.error
                .get_or_insert_with(|| ApiKeysError::UnsendableKey(subject()));
        } else if key.len() < MIN_KEY {
            self.error
                .get_or_insert_with(|| ApiKeysError::ShortKey(subject()));
        }
        self.keys.push((sha256(key), identity));
        self
    }

    /// Adds a key for `identity` by its SHA-256 hash, in hexadecimal digits.
    pub fn key_sha256(mut self, digest: &str, identity: Identity) -> Self {
        match parse_sha256(digest) {
            Some(digest) => self.keys.push((digest, identity)),
            None => {
                self.error
                    .get_or_insert(ApiKeysError::NoDigest(identity.subject().to_owned()));
            }
        }
        self
    }

    /// Builds the scheme.
    ///
    /// # Errors
    ///
    /// [`ApiKeysError`] names a missing or invalid setting.
    pub fn build(self) -> Result<ApiKeys, ApiKeysError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let field = field_of(self.field)?;
        if self.keys.is_empty() {
            return Err(ApiKeysError::NoKey);
        }
        let mut digests: Vec<_> = self.keys.iter().map(|(digest, _)| digest).collect();
        digests.sort_unstable();
        digests.dedup();
        if digests.len() < self.keys.len() {
            return Err(ApiKeysError::KeyTwice);
        }
        Ok(ApiKeys {
            scheme: self.scheme,
            field,
            keys: Keys::Table(self.keys),
        })
    }
}

/// Builds [`ApiKeys`] that a function [looks up](ApiKeys::look_up).
#[must_use]
pub struct ApiKeyLookUpBuilder {
    scheme: String,
    field: String,
    look_up: Arc<LookUp>,
}

impl ApiKeyLookUpBuilder {
    /// Sets the field that keys are read from. Default: `x-api-key`.
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.field = name.into();
        self
    }

    /// Sets the name of the scheme in the challenge. Default: `ApiKey`.
    pub fn scheme_name(mut self, name: impl Into<String>) -> Self {
        self.scheme = name.into();
        self
    }

    /// Builds the scheme.
    ///
    /// # Errors
    ///
    /// [`ApiKeysError::Field`]: the field name is invalid, or has another meaning.
    pub fn build(self) -> Result<ApiKeys, ApiKeysError> {
        Ok(ApiKeys {
            scheme: self.scheme,
            field: field_of(self.field)?,
            keys: Keys::LookUp(self.look_up),
        })
    }
}

/// Returns whether a scheme receives the key as the client sends it, without spaces around it.
fn is_received_unchanged(key: &str) -> bool {
    key.len() <= ProtectionSpace::MAX_CREDENTIALS
        && key.trim() == key
        && key.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn field_of(name: String) -> Result<HeaderName, ApiKeysError> {
    credential_field(&name).ok_or(ApiKeysError::Field(name))
}

/// An error of building [`ApiKeys`]. A key is named by the subject of its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiKeysError {
    /// No key was given.
    NoKey,
    /// The key of this caller is shorter than 16 bytes.
    ShortKey(String),
    /// The key of this caller starts or ends with whitespace, such as the line break of a file, has a character other
    /// than visible ASCII and spaces, or is longer than credentials may be. No request would match it.
    UnsendableKey(String),
    /// The digest of this caller's key is not 64 hexadecimal digits.
    NoDigest(String),
    /// Two callers have the same key.
    KeyTwice,
    /// The field name is invalid, or has another meaning.
    Field(String),
}

impl fmt::Display for ApiKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("no API key was added; add one with `.key(…)`"),
            Self::ShortKey(who) => write!(
                f,
                "the API key of {who:?} is shorter than {MIN_KEY} bytes and can be guessed",
            ),
            Self::UnsendableKey(who) => write!(
                f,
                "the API key of {who:?} cannot be sent: it has whitespace around it, another character than visible \
                 ASCII and spaces, or more than {} bytes",
                ProtectionSpace::MAX_CREDENTIALS,
            ),
            Self::NoDigest(who) => write!(
                f,
                "the SHA-256 of the API key of {who:?} is not 64 hexadecimal digits",
            ),
            Self::KeyTwice => f.write_str("two callers have the same API key"),
            Self::Field(name) => write!(f, "API keys cannot be read from the field {name:?}"),
        }
    }
}

impl std::error::Error for ApiKeysError {}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ApiKeys");
        shown.field("scheme", &self.scheme);
        shown.field("field", &self.field);
        match &self.keys {
            Keys::Table(table) => shown.field("keys", &table.len()).finish(),
            Keys::LookUp(_) => shown.finish_non_exhaustive(),
        }
    }
}

impl fmt::Debug for ApiKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeysBuilder")
            .field("scheme", &self.scheme)
            .field("field", &self.field)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ApiKeyLookUpBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyLookUpBuilder")
            .field("scheme", &self.scheme)
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}
