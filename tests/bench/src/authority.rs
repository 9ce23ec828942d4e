//! The authorization server of the benchmark: a key and its tokens.

use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderName, HeaderValue, header};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::json;

/// The issuer of the tokens.
pub const ISSUER: &str = "https://issuer.example";
/// The audience of the tokens.
pub const AUDIENCE: &str = "https://api.example";
/// The name of the key.
pub const KEY_ID: &str = "2026-11";
/// The variable that passes the key to a process under valgrind, where creating one would take
/// minutes.
pub const KEY_VARIABLE: &str = "AUTH_BENCH_KEY";

/// An RSA key of 2048 bits, the most common kind at authorization servers.
pub struct Authority(KeyPair);

impl Authority {
    /// Creates a key, or uses that of the parent process.
    pub fn new() -> Self {
        let key = match std::env::var(KEY_VARIABLE) {
            Ok(pem) => KeyPair::from_pem(&pem),
            Err(_) => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048),
        };
        Self(key.expect("an RSA key"))
    }

    /// The private key, for another process.
    pub fn private_key(&self) -> String {
        self.0.serialize_pem()
    }

    /// The public key.
    pub fn public_key(&self) -> String {
        self.0.public_key_pem()
    }

    /// The public key as a key set (RFC 7517).
    pub fn key_set(&self) -> String {
        let key = Jwk::from_encoding_key(&self.signer(), Algorithm::RS256);
        let mut key = key.expect("a key of a known kind");
        key.common.key_id = Some(KEY_ID.to_owned());
        serde_json::to_string(&JwkSet { keys: vec![key] }).expect("plain data")
    }

    /// Creates a token with `scope`, of the usual length.
    pub fn token(&self, scope: &str) -> String {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "7d1b4a0e-6c1f-4d0e-9f6e-3f8b6f1c2d3a",
            "iat": now(), "exp": now() + 3600, "client_id": "web", "jti": "k2hSYjLhbnXJGg",
            "scope": scope,
        });
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(KEY_ID.to_owned());
        jsonwebtoken::encode(&header, &claims, &self.signer()).expect("a token")
    }

    fn signer(&self) -> EncodingKey {
        EncodingKey::from_rsa_pem(self.private_key().as_bytes()).expect("a signing key")
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// The current time, in seconds.
pub fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

/// `Authorization: Bearer` with a token.
pub fn bearer(token: &str) -> (HeaderName, HeaderValue) {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    (header::AUTHORIZATION, value.expect("a token"))
}
