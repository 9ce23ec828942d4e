//! A key for each algorithm.

use auth_runtime::schemes::JwtAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::KeyPair;

/// The algorithms, with their names.
pub(super) const ALGORITHMS: [(JwtAlgorithm, &str); 12] = [
    (JwtAlgorithm::HS256, "HS256"),
    (JwtAlgorithm::HS384, "HS384"),
    (JwtAlgorithm::HS512, "HS512"),
    (JwtAlgorithm::RS256, "RS256"),
    (JwtAlgorithm::RS384, "RS384"),
    (JwtAlgorithm::RS512, "RS512"),
    (JwtAlgorithm::PS256, "PS256"),
    (JwtAlgorithm::PS384, "PS384"),
    (JwtAlgorithm::PS512, "PS512"),
    (JwtAlgorithm::ES256, "ES256"),
    (JwtAlgorithm::ES384, "ES384"),
    (JwtAlgorithm::EdDSA, "EdDSA"),
];

const SECRET: &str = "a secret of sixty-four bytes, that HS512 asks for, and no other.";

/// The keys of the issuer.
pub(super) struct Keys {
    rsa: KeyPair,
    p256: KeyPair,
    p384: KeyPair,
    ed25519: KeyPair,
}

impl Keys {
    pub(super) fn new() -> Self {
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let of = |algorithm| KeyPair::generate_for(algorithm).expect("a key");
        let rsa = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
        Self {
            rsa: rsa.expect("an RSA key"),
            p256: of(&rcgen::PKCS_ECDSA_P256_SHA256),
            p384: of(&rcgen::PKCS_ECDSA_P384_SHA384),
            ed25519: of(&rcgen::PKCS_ED25519),
        }
    }

    fn pair(&self, algorithm: &str) -> &KeyPair {
        match algorithm {
            "ES256" => &self.p256,
            "ES384" => &self.p384,
            "EdDSA" => &self.ed25519,
            _ => &self.rsa,
        }
    }

    /// Returns the public key as PEM, or the secret.
    pub(super) fn public(&self, algorithm: &str) -> String {
        match algorithm.starts_with("HS") {
            true => SECRET.to_owned(),
            false => self.pair(algorithm).public_key_pem(),
        }
    }

    /// Returns the signature of a text, in base64url.
    pub(super) fn signature(&self, algorithm: &str, text: &str) -> String {
        let pem = self.pair(algorithm).serialize_pem();
        let key = match algorithm {
            "HS256" | "HS384" | "HS512" => EncodingKey::from_secret(SECRET.as_bytes()),
            "ES256" | "ES384" => EncodingKey::from_ec_pem(pem.as_bytes()),
            "EdDSA" => EncodingKey::from_ed_pem(pem.as_bytes()),
            _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
        };
        let algorithm: Algorithm = algorithm.parse().expect("a known algorithm");
        let key = key.expect("a signing key");
        jsonwebtoken::crypto::sign(text.as_bytes(), &key, algorithm).expect("a signature")
    }

    /// Returns an HMAC whose secret is a public key, as an attacker makes it.
    pub(super) fn confused(&self, algorithm: &str, text: &str) -> String {
        let key = EncodingKey::from_secret(self.public(algorithm).as_bytes()).expect("a secret");
        let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::HS256);
        signature.expect("a signature")
    }

    /// Returns a token of these texts.
    pub(super) fn token(&self, algorithm: &str, header: &[u8], claims: &[u8]) -> String {
        let [header, claims] = [header, claims].map(|text| URL_SAFE_NO_PAD.encode(text));
        let input = format!("{header}.{claims}");
        format!("{input}.{}", self.signature(algorithm, &input))
    }
}
