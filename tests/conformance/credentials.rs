//! Real credentials for those that the vectors name.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use argon2::PasswordHasher;
use auth_runtime::Identity;
use auth_runtime::schemes::{Basic, Jwt, JwtKey, PasswordHashes};
use auth_tests::proof::signed;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::KeyPair;
use serde_json::{Value, json};

use crate::{certificates, proofs};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "https://api.example";
const KEY_ID: &str = "es256";

/// The key of a trusted issuer, and that of another one.
struct Keys {
    trusted: KeyPair,
    other: KeyPair,
    rsa: KeyPair,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let ec = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a P-256 key");
    Keys {
        trusted: ec(),
        other: ec(),
        rsa: KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
            .expect("an RSA key"),
    }
});

/// Verifies the tokens of this file by the profile of RFC 9068.
pub(crate) fn verifier() -> Jwt {
    let key = JwtKey::es256_pem(KEYS.trusted.public_key_pem()).expect("a public key");
    Jwt::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .key(key.with_id(KEY_ID))
        .rfc9068_only()
        .build()
        .expect("a verifier")
}

/// Returns the users that the vectors name.
pub(crate) fn users() -> Basic {
    static HASHES: LazyLock<[String; 3]> = LazyLock::new(|| ["pass", "pa:ss", "123£"].map(hash));
    let [pass, colon, pound] = &*HASHES;
    let hashes = PasswordHashes::builder()
        .user("user", pass, Identity::new("user"))
        .user("ops", pass, Identity::new("ops").with_roles(["ops"]))
        .user("colon", colon, Identity::new("colon"))
        .user("test", pound, Identity::new("test"));
    Basic::password_hashes(hashes.build().expect("hashes"))
}

fn hash(password: &str) -> String {
    let cheap = argon2::Params::new(64, 1, 1, None).expect("parameters");
    let hash = argon2::Argon2::from(cheap).hash_password(password.as_bytes());
    hash.expect("a hash").to_string()
}

pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("before year 9999")
}

/// Returns the token with this name in the vectors. It is the same one each time, since a proof is
/// for one token. `None` for an unknown name.
pub(crate) fn token(name: &str) -> Option<String> {
    static MINTED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

    let mut minted = MINTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(token) = minted.get(name) {
        return Some(token.clone());
    }
    let token = mint(name)?;
    minted.insert(name.to_owned(), token.clone());
    Some(token)
}

fn mint(name: &str) -> Option<String> {
    let mut header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": KEY_ID });
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "client_id": "svc",
        "iat": now(), "exp": now() + 600, "jti": "1", "scope": "read",
    });
    let mut signer = (&KEYS.trusted, Algorithm::ES256);
    match name {
        "jwt.read" | "jwks.down" => {}
        "jwt.noscope" => claims["scope"] = Value::Null,
        "jwt.admin" => claims["scope"] = json!("read write admin"),
        "jwt.adminonly" => claims["scope"] = json!("admin"),
        "jwt.Read" => claims["scope"] = json!("Read"),
        "jwt.readonly" => claims["scope"] = json!("readonly"),
        "jwt.dup" => claims["scope"] = json!("write  read read"),
        "jwt.rolesasscope" => {
            claims["scope"] = Value::Null;
            claims["roles"] = json!(["read"]);
        }
        "jwt.ops" => claims["roles"] = json!(["ops"]),
        "jwt.audarray" => claims["aud"] = json!([AUDIENCE, "https://other.example"]),
        "jwt.typlong" => header["typ"] = json!("application/at+jwt"),
        "jwt.leeway" => claims["exp"] = json!(now() - 5),
        "jwt.mfa" => {
            claims["acr"] = json!("urn:lab:mfa");
            claims["auth_time"] = json!(now() - 1);
        }
        "jwt.pwdold" => {
            claims["acr"] = json!("urn:lab:pwd");
            claims["auth_time"] = json!(now() - 3600);
        }
        "jwt.mfaold" => {
            claims["acr"] = json!("urn:lab:mfa");
            claims["auth_time"] = json!(now() - 3600);
        }
        "jwt.expired" => claims["exp"] = json!(now() - 600),
        "jwt.future" => claims["nbf"] = json!(now() + 600),
        "jwt.wrongaud" => claims["aud"] = json!("https://other.example"),
        "jwt.noaud" => claims["aud"] = Value::Null,
        "jwt.wrongiss" => claims["iss"] = json!("https://other-issuer.example"),
        "jwt.issslash" => claims["iss"] = json!(format!("{ISSUER}/")),
        "jwt.badsig" => signer.0 = &KEYS.other,
        "jwt.unknownkid" => header["kid"] = json!("another"),
        "jwt.none" => {
            header["alg"] = json!("none");
            let token = sign(&header, &claims, signer);
            return Some(
                token
                    .rsplit_once('.')
                    .map_or(token.clone(), |(input, _)| format!("{input}.")),
            );
        }
        "jwt.hs256" => {
            header["alg"] = json!("HS256");
            let secret = EncodingKey::from_secret(KEYS.trusted.public_key_pem().as_bytes())
                .expect("a secret");
            return Some(signed(&header, &claims, &secret, Algorithm::HS256));
        }
        "jwt.notallowedalg" => {
            header["alg"] = json!("RS256");
            signer = (&KEYS.rsa, Algorithm::RS256);
        }
        "jwt.typjwt" => header["typ"] = json!("JWT"),
        "jwt.notyp" => header["typ"] = Value::Null,
        "jwt.idtoken" => {
            header["typ"] = json!("JWT");
            claims["aud"] = json!("svc");
            claims["nonce"] = json!("n");
        }
        "jwt.dpopproof" | "proof" => header["typ"] = json!("dpop+jwt"),
        "jwt.noexp" => claims["exp"] = Value::Null,
        "jwt.nosub" => claims["sub"] = Value::Null,
        "jwt.crit" => {
            header["crit"] = json!(["lab"]);
            header["lab"] = json!(true);
        }
        "jwt.twoparts" => {
            let token = sign(&header, &claims, signer);
            return token.rsplit_once('.').map(|(input, _)| input.to_owned());
        }
        "jwt.jku" => {
            header["jku"] = json!("https://attacker.example/jwks.json");
            signer.0 = &KEYS.other;
        }
        "jwt.kidpath" => header["kid"] = json!("../../etc/passwd"),
        "jwt.huge" => claims["padding"] = json!("x".repeat(64 * 1024)),
        "dpop.token" => claims["cnf"] = json!({ "jkt": proofs::thumbprint() }),
        "dpop.noscope" => {
            claims["cnf"] = json!({ "jkt": proofs::thumbprint() });
            claims["scope"] = Value::Null;
        }
        "cert.good" | "cert.other" => {
            claims["cnf"] = json!({ "x5t#S256": certificates::thumbprint(name) });
        }
        "dpop.expired" => {
            claims["cnf"] = json!({ "jkt": proofs::thumbprint() });
            claims["exp"] = json!(now() - 600);
        }
        _ => return None,
    }
    Some(sign(&header, &claims, signer))
}

fn sign(header: &Value, claims: &Value, (key, algorithm): (&KeyPair, Algorithm)) -> String {
    let pem = key.serialize_pem();
    let key = match algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(pem.as_bytes()),
        _ => EncodingKey::from_ec_pem(pem.as_bytes()),
    };
    signed(header, claims, &key.expect("a signing key"), algorithm)
}

/// Replaces each `${name}` by the token or the proof of that name, for `credential`. `nonce` is the
/// latest nonce of the server.
pub(crate) fn fill_in(text: &str, credential: &str, nonce: Option<&str>) -> Result<String, String> {
    let Some((before, rest)) = text.split_once("${") else {
        return Ok(text.to_owned());
    };
    let (name, after) = rest.split_once('}').ok_or("a `${` is not closed")?;
    let bound = |name: &str| match credential {
        "dpop.noscope" | "dpop.expired" => credential.to_owned(),
        _ => name.to_owned(),
    };
    let filled = match name {
        "proof" | "proof2" if credential.starts_with("dpop.") => proofs::make(credential, nonce)?,
        // A DPoP-bound token in place of a bearer token.
        "dpop.asbearer" => credentials_token("dpop.token")?,
        "dpop.token" => credentials_token(&bound(name))?,
        // The hash of a certificate, as Envoy sends it.
        "good" => certificates::hash_for_envoy(),
        opaque if opaque.starts_with("opaque.") => opaque.replace('.', "-"),
        other => credentials_token(other)?,
    };
    let after = fill_in(after, credential, nonce)?;
    Ok(format!("{before}{filled}{after}"))
}

fn credentials_token(name: &str) -> Result<String, String> {
    token(name).ok_or_else(|| format!("no token is called {name}"))
}
