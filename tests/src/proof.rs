//! Proofs of possession (RFC 9449) of a client, and arbitrary signed tokens, also invalid ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A client's key, on P-256.
pub struct ProofKey(KeyPair);

impl ProofKey {
    /// Creates a key.
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        Self(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a P-256 key"))
    }

    /// The public part (RFC 7517).
    pub fn jwk(&self) -> Value {
        let point = self.0.public_key_raw();
        let (x, y) = point[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
    }

    /// The thumbprint that a token is bound to (RFC 7638): the members in order, without spaces.
    pub fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let (x, y) = (&jwk["x"], &jwk["y"]);
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{x},"y":{y}}}"#);
        URL_SAFE_NO_PAD.encode(Sha256::digest(text))
    }

    /// Returns the claims of a valid proof, made at `now`, for a request with `token`.
    pub fn claims(&self, method: &str, url: &str, token: &str, now: i64) -> Value {
        let id = URL_SAFE_NO_PAD.encode(rand_id());
        json!({
            "jti": id, "htm": method, "htu": url, "iat": now, "ath": token_hash(token),
        })
    }

    /// Returns the header of a valid proof.
    pub fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() })
    }

    /// Returns a proof with this header and these claims, signed with this key.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let key = EncodingKey::from_ec_pem(self.0.serialize_pem().as_bytes());
        signed(
            header,
            claims,
            &key.expect("a signing key"),
            Algorithm::ES256,
        )
    }

    /// Returns a valid proof.
    pub fn prove(&self, method: &str, url: &str, token: &str, now: i64) -> String {
        self.sign(&self.header(), &self.claims(method, url, token, now))
    }

    /// The whole key (RFC 7517).
    pub fn private_jwk(&self) -> Value {
        // The last 32 bytes before the public part (RFC 5915, in PKCS#8).
        let der = self.0.serialize_der();
        let start = der
            .windows(4)
            .position(|four| four == [2, 1, 1, 4])
            .expect("an EC private key");
        let scalar = &der[start + 5..start + 37];
        let mut jwk = self.jwk();
        jwk["d"] = json!(URL_SAFE_NO_PAD.encode(scalar));
        jwk
    }

    /// The whole key, as PEM (PKCS#8).
    pub fn private_pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// Its public part, as PEM.
    pub fn public_pem(&self) -> String {
        self.0.public_key_pem()
    }
}

/// Returns the hash of a token in a proof (`ath`).
pub fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

/// Returns a JWS of two JSON values. Members of an object that are `null` are left out.
pub fn signed(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let encoded = |value: &Value| {
        let mut value = value.clone();
        if let Some(members) = value.as_object_mut() {
            members.retain(|_, member| !member.is_null());
        }
        URL_SAFE_NO_PAD.encode(value.to_string())
    };
    let input = format!("{}.{}", encoded(header), encoded(claims));
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), key, algorithm);
    format!("{input}.{}", signature.expect("a signature"))
}

fn rand_id() -> [u8; 12] {
    let mut id = [0; 12];
    getrandom::fill(&mut id).expect("the system has randomness to give");
    id
}
