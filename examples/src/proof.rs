//! A client's key, and its proofs of possession (RFC 9449).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Result, now};

/// A key that tokens can be bound to.
pub struct ProofKey {
    private: EncodingKey,
    public: Jwk,
    thumbprint: String,
}

impl ProofKey {
    /// Creates a P-256 key.
    ///
    /// # Errors
    ///
    /// The system has no random bytes.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let public: Jwk = serde_json::from_value(public_jwk(&key))?;
        Ok(Self {
            private: EncodingKey::from_ec_der(&key.serialize_der()),
            thumbprint: public.thumbprint(ThumbprintHash::SHA256)?,
            public,
        })
    }

    /// The thumbprint in a token that is bound to the key (RFC 7638).
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Creates a proof for one request with `token`.
    ///
    /// # Errors
    ///
    /// The proof cannot be signed.
    pub fn prove(
        &self,
        method: &str,
        url: &str,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<String> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.public.clone());
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let claims = json!({
            // The identifier has to be unique, but not secret.
            "jti": since.as_nanos().to_string(),
            "htm": method,
            "htu": url,
            "iat": now(),
            "ath": URL_SAFE_NO_PAD.encode(Sha256::digest(token)),
            "nonce": nonce,
        });
        Ok(jsonwebtoken::encode(&header, &claims, &self.private)?)
    }
}

/// The public part of a P-256 key, for ES256 (RFC 7518 §6.2).
pub(crate) fn public_jwk(key: &KeyPair) -> Value {
    // The uncompressed form: a byte that marks it, and both coordinates.
    let point = key.public_key_raw().get(1..).unwrap_or_default();
    let (x, y) = point.split_at(point.len() / 2);
    json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig",
        "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    })
}
