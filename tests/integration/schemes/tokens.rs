//! Keys of every kind, and tokens with every kind of error.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::schemes::*;
/// Shared, since creating key pairs is expensive, in particular for RSA.
pub(crate) struct Keys {
    pub(crate) rsa: KeyPair,
    pub(crate) ec: KeyPair,
    pub(crate) ed: KeyPair,
    pub(crate) secret: [u8; 32],
}

pub(crate) fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        rsa: KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
            .expect("an RSA key"),
        ec: KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a P-256 key"),
        ed: KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("an Ed25519 key"),
        secret: *b"a secret of exactly 32 bytes ...",
    })
}

impl Keys {
    pub(crate) fn signer(&self, algorithm: Algorithm) -> EncodingKey {
        match algorithm {
            Algorithm::RS256 => EncodingKey::from_rsa_pem(self.rsa.serialize_pem().as_bytes()),
            Algorithm::ES256 => EncodingKey::from_ec_pem(self.ec.serialize_pem().as_bytes()),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(self.ed.serialize_pem().as_bytes()),
            _ => EncodingKey::from_secret(&self.secret),
        }
        .expect("a signing key")
    }
}

pub(crate) fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(now.as_secs()).expect("before year 9999")
}

/// Returns valid claims, with these changes. `null` removes a claim.
pub(crate) fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": now() + 600, "scope": "read",
    });
    let all = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => all.remove(name),
            value => all.insert(name.clone(), value.clone()),
        };
    }
    claims
}

pub(crate) fn rs256(changes: Value) -> String {
    signed(Algorithm::RS256, &Header::new(Algorithm::RS256), changes)
}

pub(crate) fn signed(algorithm: Algorithm, header: &Header, changes: Value) -> String {
    encode(header, &claims(changes), &keys().signer(algorithm)).expect("a token")
}

/// Returns a token with any header, signed with the RSA key.
pub(crate) fn with_header(header: &Value) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims(json!({})).to_string()),
    );
    let key = keys().signer(Algorithm::RS256);
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::RS256);
    format!("{input}.{}", signature.expect("a signature"))
}

pub(crate) fn rsa_verifier() -> Jwt {
    let key = JwtKey::rs256_pem(keys().rsa.public_key_pem()).expect("a public key");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    jwt.key(key.with_id("rsa-1")).build().expect("a verifier")
}
