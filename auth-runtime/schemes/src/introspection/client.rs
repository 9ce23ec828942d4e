//! The authentication of this service at the authorization server.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::random;

/// The lifetime of an assertion, which is used at once.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

/// The authentication of this service.
pub(super) enum ClientAuthentication {
    /// The value of `Authorization`.
    Secret {
        id: String,
        basic: Zeroizing<String>,
    },
    SecretInForm {
        id: String,
        secret: Zeroizing<String>,
    },
    Key {
        id: String,
        key: Box<EncodingKey>,
        algorithm: Algorithm,
        audience: String,
        key_id: Option<String>,
    },
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
}

impl ClientAuthentication {
    pub(super) fn secret(id: &str, secret: &str) -> Self {
        // The parts are encoded first (RFC 6749 §2.3.1), so the id may contain a colon.
        // The strings never grow beyond their capacity, since a reallocation would leave a copy in memory.
        let mut pair = Zeroizing::new(String::with_capacity(3 * (id.len() + secret.len()) + 1));
        pair.extend(form_urlencoded::byte_serialize(id.as_bytes()));
        pair.push(':');
        pair.extend(form_urlencoded::byte_serialize(secret.as_bytes()));
        let mut basic = Zeroizing::new(String::with_capacity(6 + 4 * pair.len().div_ceil(3)));
        basic.push_str("Basic ");
        STANDARD.encode_string(pair.as_bytes(), &mut basic);
        Self::Secret {
            id: id.to_owned(),
            basic,
        }
    }

    pub(super) fn secret_in_form(id: &str, secret: &str) -> Self {
        Self::SecretInForm {
            id: id.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
        }
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::Secret { id, .. } | Self::SecretInForm { id, .. } | Self::Key { id, .. } => id,
        }
    }

    /// The value of `Authorization`.
    pub(super) fn basic(&self) -> Option<Zeroizing<String>> {
        match self {
            Self::Secret { basic, .. } => Some(basic.clone()),
            Self::SecretInForm { .. } | Self::Key { .. } => None,
        }
    }

    /// The secret to send in the form.
    pub(super) fn form_secret(&self) -> Option<&str> {
        match self {
            Self::SecretInForm { secret, .. } => Some(secret),
            Self::Secret { .. } | Self::Key { .. } => None,
        }
    }

    /// Returns an assertion for one request. `None` for a client with a secret.
    pub(super) fn assertion(&self, now: SystemTime) -> Result<Option<String>, String> {
        let Self::Key {
            id,
            key,
            algorithm,
            audience,
            key_id,
        } = self
        else {
            return Ok(None);
        };
        let now = now.duration_since(UNIX_EPOCH);
        let now = now.map_err(|_| "the system clock is invalid")?.as_secs();
        let random: [u8; 16] = random::bytes().ok_or("the system has no random bytes")?;
        let assertion = Assertion {
            iss: id,
            sub: id,
            aud: audience,
            iat: now,
            exp: now + ASSERTION_LIFETIME.as_secs(),
            jti: URL_SAFE_NO_PAD.encode(random),
        };
        let mut header = Header::new(*algorithm);
        header.kid.clone_from(key_id);
        let signed = encode(&header, &assertion, key);
        signed
            .map(Some)
            .map_err(|error| format!("the assertion for the server cannot be signed: {error}"))
    }
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.id())
    }
}
