//! The keys that signatures are verified with, each for one algorithm.

use std::fmt;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;

use crate::jwt::JwtError;

/// A key that tokens are verified with, for one algorithm and no other.
///
/// Its `Debug` shows the algorithm and the key's id.
///
/// ```
/// use auth_runtime::schemes::JwtKey;
///
/// let key = JwtKey::es256_pem(
///     "-----BEGIN PUBLIC KEY-----\n\
///      MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n\
///      q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n\
///      -----END PUBLIC KEY-----\n",
/// )?
/// .with_id("2026-11");
/// # Ok::<(), auth_runtime::schemes::JwtError>(())
/// ```
#[derive(Clone)]
pub struct JwtKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    id: Option<String>,
}

/// RFC 7518 §3.2: a secret at least as long as the hash.
const MIN_SECRET: usize = 32;

impl JwtKey {
    /// An RSA public key for RS256, as PEM.
    ///
    /// # Errors
    ///
    /// It is no such key.
    pub fn rs256_pem(pem: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        Self::parsed(Algorithm::RS256, DecodingKey::from_rsa_pem(pem.as_ref()))
    }

    /// A P-256 public key for ES256, as PEM.
    ///
    /// # Errors
    ///
    /// It is no such key.
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        Self::parsed(Algorithm::ES256, DecodingKey::from_ec_pem(pem.as_ref()))
    }

    /// An Ed25519 public key for EdDSA (RFC 8037), as PEM.
    ///
    /// # Errors
    ///
    /// It is no such key.
    pub fn eddsa_pem(pem: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        Self::parsed(Algorithm::EdDSA, DecodingKey::from_ed_pem(pem.as_ref()))
    }

    /// A secret that is shared with the issuer, for HS256: random bytes, 32 or more.
    ///
    /// # Errors
    ///
    /// It is shorter.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        let secret = secret.as_ref();
        if secret.len() < MIN_SECRET {
            return Err(JwtError::ShortSecret(secret.len()));
        }
        Ok(Self {
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(secret),
            id: None,
        })
    }

    /// Names the key: tokens with another `kid` are not held against it.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    fn parsed(
        algorithm: Algorithm,
        key: jsonwebtoken::errors::Result<DecodingKey>,
    ) -> Result<Self, JwtError> {
        let key = key.map_err(|error| {
            JwtError::Key(format!("it is no public key for {algorithm:?} ({error})"))
        })?;
        Ok(Self {
            algorithm,
            key,
            id: None,
        })
    }

    #[cfg(feature = "jwks")]
    pub(super) fn is_named(&self) -> bool {
        self.id.is_some()
    }

    /// Whether a token that says this of itself may be held against the key.
    pub(super) fn may_have_signed(&self, header: &Header) -> bool {
        let same_id = match (&self.id, &header.kid) {
            (Some(id), Some(kid)) => id == kid,
            _ => true,
        };
        same_id && self.algorithm == header.alg
    }
}

/// Nobody has more, and each that has no name is tried for each token.
const MAX_KEYS: usize = 64;

/// The keys of a JWKS document that can be used here.
pub(super) fn of_jwks(document: &str) -> Result<Vec<JwtKey>, JwtError> {
    #[derive(Deserialize)]
    struct Document {
        keys: Vec<serde_json::Value>,
    }
    let document: Document =
        serde_json::from_str(document).map_err(|error| JwtError::Jwks(place_of(&error)))?;
    let keys: Vec<_> = document
        .keys
        .into_iter()
        // A document may hold keys of kinds that nobody knew of when this was written.
        .filter_map(|key| serde_json::from_value::<Jwk>(key).ok())
        .filter_map(|key| of_jwk(&key))
        .take(MAX_KEYS)
        .collect();
    if keys.is_empty() {
        return Err(JwtError::NoKey);
    }
    Ok(keys)
}

/// Whether a key may be used to verify what was signed by `algorithm`, by its own account (RFC 7517
/// §4.2 to §4.4).
pub(crate) fn verifies(jwk: &Jwk, algorithm: Algorithm) -> bool {
    let common = &jwk.common;
    let signs = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    let operations = common.key_operations.as_ref();
    let is_for_verifying =
        operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let named = common.key_algorithm;
    signs && is_for_verifying && named.is_none_or(|named| named == KeyAlgorithm::from(algorithm))
}

/// Where a document is wrong. What stands there is not told: it may be a key that was meant for
/// another place.
fn place_of(error: &serde_json::Error) -> String {
    let problem = match error.classify() {
        serde_json::error::Category::Data => "it is no object with a list `keys`",
        _ => "it is no JSON",
    };
    format!(
        "{problem}, from line {} column {} on",
        error.line(),
        error.column()
    )
}

fn of_jwk(jwk: &Jwk) -> Option<JwtKey> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk)
        .ok()
        .filter(|_| verifies(jwk, algorithm))?;
    Some(JwtKey {
        algorithm,
        key,
        id: jwk.common.key_id.clone(),
    })
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
