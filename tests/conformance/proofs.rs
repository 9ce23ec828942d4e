//! Valid and invalid proofs of possession (RFC 9449).

use std::sync::LazyLock;

use auth_tests::proof::{ProofKey, signed, token_hash};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::credentials::{now, token};

/// The origin of the services of the vectors.
pub(crate) const ORIGIN: &str = "http://api.example";
/// The services' key for nonces.
pub(crate) const NONCE_KEY: [u8; 32] = [7; 32];

/// The key of the client, and that of another client.
static KEYS: LazyLock<[ProofKey; 2]> = LazyLock::new(|| [ProofKey::new(), ProofKey::new()]);

/// The thumbprint of the client's key.
pub(crate) fn thumbprint() -> String {
    KEYS[0].thumbprint()
}

/// Creates the proof for the credentials of this name.
pub(crate) fn make(credential: &str, nonce: Option<&str>) -> Result<String, String> {
    let [own, other] = &*KEYS;
    let name = match credential {
        "dpop.unbound" => "jwt.read",
        "dpop.expired" | "dpop.noscope" => credential,
        _ => "dpop.token",
    };
    let token = token(name).ok_or("no token of that name")?;
    let mut header = own.header();
    let mut claims = own.claims("GET", &format!("{ORIGIN}/r"), &token, now());
    let mut signer = own;
    match credential {
        "dpop.good" | "dpop.lower" | "dpop.query" | "dpop.asbearer" | "dpop.unbound"
        | "dpop.expired" | "dpop.noscope" | "dpop.twoproofs" | "dpop.replay" | "dpop.nononce" => {}
        "dpop.notjwt" => return Ok("abc".to_owned()),
        "dpop.htunorm" => claims["htu"] = json!("HTTP://API.EXAMPLE:80/%72"),
        "dpop.future5" => claims["iat"] = json!(now() + 5),
        "dpop.future" => claims["iat"] = json!(now() + 3600),
        "dpop.old" => claims["iat"] = json!(now() - 3600),
        "dpop.otherkey" => {
            header["jwk"] = other.jwk();
            signer = other;
        }
        "dpop.sig" => signer = other,
        "dpop.typ" => header["typ"] = json!("JWT"),
        "dpop.nojti" => claims["jti"] = Value::Null,
        "dpop.nohtm" => claims["htm"] = Value::Null,
        "dpop.noath" => claims["ath"] = Value::Null,
        "dpop.htm" => claims["htm"] = json!("POST"),
        "dpop.htu" => claims["htu"] = json!(format!("{ORIGIN}/other")),
        "dpop.htuhost" => claims["htu"] = json!("http://other.example/r"),
        "dpop.ath" => claims["ath"] = json!(token_hash("another")),
        "dpop.longjti" => claims["jti"] = json!("j".repeat(8 * 1024)),
        "dpop.private" => header["jwk"]["d"] = json!(URL_SAFE_NO_PAD.encode([1; 32])),
        "dpop.withnonce" => claims["nonce"] = json!(nonce.ok_or("the server gave no nonce")?),
        "dpop.oldnonce" => claims["nonce"] = json!(stamp(now() - 3600)),
        "dpop.algnone" => {
            header["alg"] = json!("none");
            let proof = own.sign(&header, &claims);
            let (input, _) = proof.rsplit_once('.').ok_or("three parts are missing")?;
            return Ok(format!("{input}."));
        }
        "dpop.hs256" => {
            header["alg"] = json!("HS256");
            let secret = EncodingKey::from_secret(own.public_pem().as_bytes()).expect("a secret");
            return Ok(signed(&header, &claims, &secret, Algorithm::HS256));
        }
        "dpop.algnotlisted" => header["alg"] = json!("ES384"),
        other => return Err(format!("no proof is made for {other}")),
    }
    Ok(signer.sign(&header, &claims))
}

/// Creates a nonce with the service's key at another time.
fn stamp(seconds: i64) -> String {
    let nanos = u64::try_from(seconds).expect("after 1970") * 1_000_000_000;
    let time = nanos.to_be_bytes();
    let mut signature = Hmac::<Sha256>::new_from_slice(&NONCE_KEY).expect("any length is fine");
    signature.update(b"DPoP nonce");
    signature.update(&time);
    let signature = signature.finalize().into_bytes();
    URL_SAFE_NO_PAD.encode([&time[..], &signature[..16]].concat())
}
