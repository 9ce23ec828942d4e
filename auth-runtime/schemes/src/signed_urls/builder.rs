//! The builder of [`SignedUrls`], and its errors.

use std::fmt;
use std::sync::Arc;

use auth_runtime_core::Clock;

use super::{SignedUrls, SigningKey};
use crate::hmac_key::{BLOCK, HmacKey};

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
