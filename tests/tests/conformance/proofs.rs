//! Proofs of possession (RFC 9449), good ones and bad ones.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::credentials::{now, signed_by, token};

/// What clients call the services of the vectors.
pub(crate) const ORIGIN: &str = "http://api.example";
/// The services' key for nonces.
pub(crate) const NONCE_KEY: [u8; 32] = [7; 32];

/// The client's own key, and somebody else's.
static KEYS: LazyLock<[KeyPair; 2]> = LazyLock::new(|| {
    let key = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a P-256 key");
    [key(), key()]
});

fn jwk(key: &KeyPair) -> Value {
    let point = key.public_key_raw();
    let (x, y) = point[1..].split_at(32);
    json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
}

/// Of the client's key (RFC 7638): members in order, without spaces.
pub(crate) fn thumbprint() -> String {
    let jwk = jwk(&KEYS[0]);
    let text = format!(
        r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#,
        jwk["x"], jwk["y"]
    );
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// The proof that goes with the credentials of that name.
pub(crate) fn make(credential: &str, nonce: Option<&str>) -> Result<String, String> {
    if credential == "dpop.notjwt" {
        return Ok("abc".to_owned());
    }
    let [own, other] = &*KEYS;
    let name = match credential {
        "dpop.unbound" => "jwt.read",
        "dpop.expired" | "dpop.noscope" => credential,
        _ => "dpop.token",
    };
    let token = token(name).ok_or("no token of that name")?;
    let id: [u8; 12] = std::array::from_fn(|_| fastrand());
    let mut header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(own) });
    let mut claims = json!({
        "jti": URL_SAFE_NO_PAD.encode(id), "htm": "GET", "htu": format!("{ORIGIN}/r"),
        "iat": now(), "ath": URL_SAFE_NO_PAD.encode(Sha256::digest(&token)),
    });
    let mut signer = own;
    let mut algorithm = Algorithm::ES256;
    match credential {
        "dpop.good" | "dpop.lower" | "dpop.query" | "dpop.asbearer" | "dpop.unbound"
        | "dpop.expired" | "dpop.noscope" | "dpop.twoproofs" | "dpop.replay" | "dpop.nononce" => {}
        "dpop.htunorm" => claims["htu"] = json!("HTTP://API.EXAMPLE:80/%72"),
        "dpop.future5" => claims["iat"] = json!(now() + 5),
        "dpop.future" => claims["iat"] = json!(now() + 3600),
        "dpop.old" => claims["iat"] = json!(now() - 3600),
        "dpop.otherkey" => {
            header["jwk"] = jwk(other);
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
        "dpop.ath" => claims["ath"] = json!(URL_SAFE_NO_PAD.encode(Sha256::digest("another"))),
        "dpop.longjti" => claims["jti"] = json!("j".repeat(8 * 1024)),
        "dpop.private" => header["jwk"]["d"] = json!(URL_SAFE_NO_PAD.encode([1; 32])),
        "dpop.withnonce" => claims["nonce"] = json!(nonce.ok_or("the server gave no nonce")?),
        "dpop.oldnonce" => claims["nonce"] = json!(stamp(now() - 3600)),
        "dpop.algnone" => header["alg"] = json!("none"),
        "dpop.hs256" => {
            header["alg"] = json!("HS256");
            algorithm = Algorithm::HS256;
        }
        "dpop.algnotlisted" => {
            header["alg"] = json!("ES384");
        }
        other => return Err(format!("no proof is made for {other}")),
    }
    let key = match algorithm {
        Algorithm::HS256 => EncodingKey::from_secret(own.public_key_pem().as_bytes()),
        _ => EncodingKey::from_ec_pem(signer.serialize_pem().as_bytes()).expect("a signing key"),
    };
    let proof = signed_by(&header, &claims, &key, algorithm);
    Ok(match credential {
        "dpop.algnone" => {
            let (input, _) = proof.rsplit_once('.').expect("three parts");
            format!("{input}.")
        }
        _ => proof,
    })
}

/// A nonce of the service's own, as it would have made it then.
fn stamp(seconds: i64) -> String {
    let nanos = u64::try_from(seconds).expect("after 1970") * 1_000_000_000;
    let time = nanos.to_be_bytes();
    let mut signature = Hmac::<Sha256>::new_from_slice(&NONCE_KEY).expect("any length is fine");
    signature.update(b"DPoP nonce");
    signature.update(&time);
    let signature = signature.finalize().into_bytes();
    URL_SAFE_NO_PAD.encode([&time[..], &signature[..16]].concat())
}

fn fastrand() -> u8 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish().to_be_bytes()[0]
}
