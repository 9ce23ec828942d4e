//! The keys that signatures are verified with, each for one algorithm.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{PublicEncryptingKey, PublicKey, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    VerificationAlgorithm,
};
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::JwtError;
use crate::shared_secret::has_outer_whitespace;
use crate::signed_token::TokenHeader;

/// A key that tokens are verified with, for one algorithm and no other.
///
/// Its `Debug` output shows the algorithm and the key's id.
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
    /// The issuer that its document names for it, with `{tenantid}` in the place of any tenant.
    pub(super) issuer: Option<String>,
}

/// The algorithm of a signature (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names of the registry")]
pub enum JwtAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
    HS256,
    HS384,
    HS512,
}

impl From<JwtAlgorithm> for Algorithm {
    fn from(algorithm: JwtAlgorithm) -> Self {
        match algorithm {
            JwtAlgorithm::RS256 => Self::RS256,
            JwtAlgorithm::RS384 => Self::RS384,
            JwtAlgorithm::RS512 => Self::RS512,
            JwtAlgorithm::PS256 => Self::PS256,
            JwtAlgorithm::PS384 => Self::PS384,
            JwtAlgorithm::PS512 => Self::PS512,
            JwtAlgorithm::ES256 => Self::ES256,
            JwtAlgorithm::ES384 => Self::ES384,
            JwtAlgorithm::EdDSA => Self::EdDSA,
            JwtAlgorithm::HS256 => Self::HS256,
            JwtAlgorithm::HS384 => Self::HS384,
            JwtAlgorithm::HS512 => Self::HS512,
        }
    }
}

/// Returns the length of the hash of an HMAC, in bytes: the minimum length of a secret (RFC 7518
/// §3.2).
fn hash_length(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::HS256 => Some(32),
        Algorithm::HS384 => Some(48),
        Algorithm::HS512 => Some(64),
        _ => None,
    }
}

impl JwtKey {
    /// Creates an RSA public key for RS256, from PEM: of 2048 to 8192 bits (RFC 7518 §3.3).
    ///
    /// # Errors
    ///
    /// The text is not such a key.
    pub fn rs256_pem(pem: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        Self::pem(JwtAlgorithm::RS256, pem)
    }

    /// Creates a P-256 public key for ES256, from PEM.
    ///
    /// # Errors
    ///
    /// The text is not such a key.
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        Self::pem(JwtAlgorithm::ES256, pem)
    }

    /// Creates an Ed25519 public key for EdDSA (RFC 8037), from PEM.
    ///
    /// # Errors
    ///
    /// The text is not such a key.
    pub fn eddsa_pem(pem: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        Self::pem(JwtAlgorithm::EdDSA, pem)
    }

    /// Creates a public key for an algorithm, from PEM: RSA of 2048 to 8192 bits for RS… and PS…, P-256 for
    /// ES256, P-384 for ES384, Ed25519 for EdDSA.
    ///
    /// # Errors
    ///
    /// The text is not such a key, or the algorithm requires a secret.
    pub fn pem(algorithm: JwtAlgorithm, pem: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        let pem = pem.as_ref();
        let key = match algorithm {
            JwtAlgorithm::ES256 | JwtAlgorithm::ES384 => DecodingKey::from_ec_pem(pem),
            JwtAlgorithm::EdDSA => DecodingKey::from_ed_pem(pem),
            JwtAlgorithm::HS256 | JwtAlgorithm::HS384 | JwtAlgorithm::HS512 => {
                return Err(JwtError::Key(format!(
                    "{algorithm:?} takes a secret, and not a public key"
                )));
            }
            _ => DecodingKey::from_rsa_pem(pem),
        };
        Self::parsed(algorithm.into(), key)
    }

    /// Creates a secret for HS256, which the issuer shares: random bytes, 32 or more.
    ///
    /// # Errors
    ///
    /// The secret is shorter, or is text with whitespace around it, such as the line break of a file.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        Self::secret(JwtAlgorithm::HS256, secret)
    }

    /// Creates a secret for HS256, HS384 or HS512, which the issuer shares: random bytes, at least
    /// as many as the hash has (32, 48 or 64).
    ///
    /// # Errors
    ///
    /// The same as for [`hs256`](Self::hs256), or the algorithm requires a public key.
    pub fn secret(algorithm: JwtAlgorithm, secret: impl AsRef<[u8]>) -> Result<Self, JwtError> {
        let secret = secret.as_ref();
        if has_outer_whitespace(secret) {
            let problem = "the secret starts or ends with whitespace; trim it";
            return Err(JwtError::Key(problem.to_owned()));
        }
        let algorithm = Algorithm::from(algorithm);
        match hash_length(algorithm) {
            Some(required) if secret.len() < required => {
                let length = secret.len();
                return Err(JwtError::ShortSecret { length, required });
            }
            Some(_) => {}
            None => {
                return Err(JwtError::Key(format!(
                    "{algorithm:?} takes a public key, and not a secret"
                )));
            }
        }
        let key = DecodingKey::from_secret(secret);
        Ok(Self {
            algorithm,
            key: key.map_err(|error| JwtError::Key(error.to_string()))?,
            id: None,
            issuer: None,
        })
    }

    /// Sets the name of the key. It does not verify tokens with another `kid`.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    fn parsed(
        algorithm: Algorithm,
        key: jsonwebtoken::errors::Result<DecodingKey>,
    ) -> Result<Self, JwtError> {
        let key = key.ok().filter(|key| is_suitable(key, algorithm));
        let key = key.ok_or_else(|| {
            let kind = match algorithm {
                Algorithm::ES256 => "key on P-256",
                Algorithm::ES384 => "key on P-384",
                Algorithm::EdDSA => "Ed25519 key",
                _ => "RSA key of 2048 to 8192 bits",
            };
            JwtError::Key(format!(
                "it is not a public {kind}, which {algorithm:?} takes"
            ))
        })?;
        Ok(Self {
            algorithm,
            key,
            id: None,
            issuer: None,
        })
    }

    #[cfg(feature = "jwks")]
    pub(super) fn is_named(&self) -> bool {
        self.id.is_some()
    }

    /// Returns whether the key may have signed a token with this header.
    pub(super) fn may_have_signed(&self, header: &TokenHeader) -> bool {
        let same_id = match (&self.id, &header.kid) {
            (Some(id), Some(kid)) => id == kid,
            _ => true,
        };
        same_id && self.algorithm == header.alg
    }
}

/// Returns whether a public key has the curve or the length that its algorithm requires (RFC 7518 §3.3 and §3.4,
/// RFC 8037 §3.1). Otherwise it would verify no signature. `jsonwebtoken` compares neither.
fn is_suitable(key: &DecodingKey, algorithm: Algorithm) -> bool {
    let is_point = |curve: &'static dyn VerificationAlgorithm| {
        let point = key.try_get_as_bytes();
        point.is_ok_and(|point| ParsedPublicKey::new(curve, point).is_ok())
    };
    match algorithm {
        Algorithm::ES256 => is_point(&ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => is_point(&ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => is_point(&ED25519),
        _ => rsa_key(key).is_some(),
    }
}

/// Returns an RSA key in the form that has the bounds of verification: 2048 to 8192 bits.
fn rsa_key(key: &DecodingKey) -> Option<PublicEncryptingKey> {
    match key.kind() {
        DecodingKeyKind::SecretOrDer(der) => {
            let der = PublicKey::from_der(der).ok()?.as_der().ok()?;
            PublicEncryptingKey::from_der(der.as_ref()).ok()
        }
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            PublicKeyComponents { n, e }.try_into().ok()
        }
    }
}

/// The maximum number of keys of one document. Each key without a name is tried for each token.
const MAX_KEYS: usize = 256;

/// The meaning of a key, as its `use` names it (RFC 7517 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyUse {
    /// For signatures: `sig`, or absent.
    Signature,
    /// For JWT-SVIDs: `jwt-svid` (SPIFFE Trust Domain and Bundle §4.2.2).
    JwtSvid,
}

impl KeyUse {
    /// Returns whether keys for this use have this algorithm. JWT-SVIDs are signed with RSA or ECDSA (SPIFFE JWT-SVID
    /// §2.1).
    pub(super) fn permits(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Signature => true,
            Self::JwtSvid => !matches!(
                algorithm,
                Algorithm::EdDSA | Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
            ),
        }
    }
}

/// Returns the usable keys of a JWKS document.
pub(super) fn of_jwks(document: &str, key_use: KeyUse) -> Result<Vec<JwtKey>, JwtError> {
    #[derive(Deserialize)]
    struct Document {
        keys: Vec<serde_json::Value>,
        /// Forbids an array in place of the object, which serde accepts for other structs.
        #[serde(flatten)]
        _others: IgnoredAny,
    }
    let document: Document =
        serde_json::from_str(document).map_err(|error| JwtError::Jwks(place_of(&error)))?;
    let found = document.keys.len();
    let mut keys = Vec::new();
    for (index, key) in document.keys.into_iter().enumerate().take(MAX_KEYS) {
        let issuer = key.get("issuer").filter(|issuer| !issuer.is_null());
        let issuer = issuer.map(|issuer| issuer.as_str().unwrap_or_default().to_owned());
        // A document may have keys of kinds that are newer than this code.
        let key = serde_json::from_value::<Jwk>(key).map_err(|_| "not a JSON Web Key");
        match key.and_then(|key| of_jwk(&key, key_use)) {
            Ok(key) => keys.push(JwtKey { issuer, ..key }),
            Err(reason) => tracing::debug!(index, reason, "a key of a JWKS document is not used"),
        }
    }
    if found > MAX_KEYS {
        tracing::warn!(
            found,
            used = MAX_KEYS,
            "the JWKS document has too many keys"
        );
    }
    if keys.is_empty() {
        return Err(JwtError::NoKey);
    }
    Ok(keys)
}

/// Returns whether a key is intended to verify signatures of `algorithm`, by its own members (RFC
/// 7517 §4.2 to §4.4).
pub(crate) fn verifies(jwk: &Jwk, algorithm: Algorithm, key_use: KeyUse) -> bool {
    let common = &jwk.common;
    let signs = match (&common.public_key_use, key_use) {
        (None | Some(PublicKeyUse::Signature), KeyUse::Signature) => true,
        (Some(PublicKeyUse::Other(name)), KeyUse::JwtSvid) => name == "jwt-svid",
        _ => false,
    };
    let operations = common.key_operations.as_ref();
    let is_for_verifying =
        operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let named = common.key_algorithm;
    signs
        && is_for_verifying
        && key_use.permits(algorithm)
        && named.is_none_or(|named| named == KeyAlgorithm::from(algorithm))
}

/// Returns the place of an error in a document. The text at that place is left out, since it may be
/// a secret key.
fn place_of(error: &serde_json::Error) -> String {
    let problem = match error.classify() {
        serde_json::error::Category::Data => "it is not an object with a list `keys`",
        _ => "it is not JSON",
    };
    format!(
        "{problem}, from line {} column {} on",
        error.line(),
        error.column()
    )
}

/// Returns the key, or the reason for not using it. Without `alg`, an RSA key is for RS256, and a
/// key on a curve for the algorithm of that curve.
fn of_jwk(jwk: &Jwk, key_use: KeyUse) -> Result<JwtKey, &'static str> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let possible: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        AlgorithmParameters::OctetKey(_) => return Err("a secret, which no public document has"),
        _ => return Err("of an unknown kind or curve"),
    };
    let mut possible = possible.iter();
    let algorithm = possible.find(|algorithm| verifies(jwk, **algorithm, key_use));
    let algorithm = algorithm.ok_or("not for verifying signatures of an accepted algorithm")?;
    let key = public_key(jwk).ok_or("not a valid key")?;
    if !is_suitable(&key, *algorithm) {
        return Err("not of the curve or the length that its algorithm requires");
    }
    Ok(JwtKey {
        algorithm: *algorithm,
        key,
        id: jwk.common.key_id.clone(),
        issuer: None,
    })
}

/// Returns the public key, if its coordinates have the length that its curve requires (RFC 7518 §6.2.1.2).
pub(crate) fn public_key(jwk: &Jwk) -> Option<DecodingKey> {
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let written_out = Jwk::from_decoding_key(&key, None).ok()?;
    (written_out.algorithm == jwk.algorithm).then_some(key)
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
