//! The algorithms of signatures.

use auth_runtime::schemes::JwtError;
use base64::engine::general_purpose::STANDARD;

use super::*;

const ISSUER: &str = "https://login.shop.example";

#[tokio::test]
async fn algorithms_verify_their_own_signatures() {
    use JwtAlgorithm::*;
    let p256 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key");
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let secret = [7; 64];
    let rsa = || EncodingKey::from_rsa_pem(key().serialize_pem().as_bytes());
    let ec = |key: &KeyPair| EncodingKey::from_ec_pem(key.serialize_pem().as_bytes());
    let pem = |algorithm, key: &KeyPair| JwtKey::pem(algorithm, key.public_key_pem());
    let hmac = || EncodingKey::from_secret(&secret);
    let keys = [
        (Algorithm::RS256, pem(RS256, key()), rsa()),
        (Algorithm::RS384, pem(RS384, key()), rsa()),
        (Algorithm::RS512, pem(RS512, key()), rsa()),
        (Algorithm::PS256, pem(PS256, key()), rsa()),
        (Algorithm::PS384, pem(PS384, key()), rsa()),
        (Algorithm::PS512, pem(PS512, key()), rsa()),
        (Algorithm::ES256, pem(ES256, &p256), ec(&p256)),
        (Algorithm::ES384, pem(ES384, &p384), ec(&p384)),
        (
            Algorithm::EdDSA,
            pem(EdDSA, &ed25519),
            EncodingKey::from_ed_pem(ed25519.serialize_pem().as_bytes()),
        ),
        (Algorithm::HS256, JwtKey::secret(HS256, secret), hmac()),
        (Algorithm::HS384, JwtKey::secret(HS384, secret), hmac()),
        (Algorithm::HS512, JwtKey::secret(HS512, secret), hmac()),
    ];
    let claims = json!({ "iss": ISSUER, "aud": "orders", "sub": "ann", "exp": now() + 300 });
    let tokens = keys.each_ref().map(|(algorithm, _, signer)| {
        let signer = signer.as_ref().expect("a signing key");
        encode(&Header::new(*algorithm), &claims, signer).expect("a token")
    });
    for (index, (algorithm, key, _)) in keys.into_iter().enumerate() {
        let jwt = Jwt::builder()
            .issuer(ISSUER)
            .audience("orders")
            .key(key.expect("a key"))
            .build();
        let scheme = Bearer::jwt(jwt.expect("a verifier"));
        let space = ProtectionSpace::builder().realm("x").scheme(scheme).build();
        let app = GuardedRouter::new()
            .route("/caller", get(caller))
            .protect(space.expect("a space"))
            .expect("in order");
        for (other, token) in tokens.iter().enumerate() {
            let expected = if other == index { 200 } else { 401 };
            assert_eq!(
                status(&app, "/caller", token).await,
                expected,
                "{algorithm:?} {other}"
            );
        }
    }
}

#[test]
fn algorithms_need_keys_of_their_kind() {
    let public = key().public_key_pem();
    for (algorithm, length) in [
        (JwtAlgorithm::HS256, 31),
        (JwtAlgorithm::HS384, 47),
        (JwtAlgorithm::HS512, 63),
    ] {
        let short = JwtKey::secret(algorithm, vec![7; length]).unwrap_err();
        let required = length + 1;
        assert_eq!(short, JwtError::ShortSecret { length, required });
        assert!(JwtKey::secret(algorithm, vec![7; length + 1]).is_ok());
        assert!(JwtKey::pem(algorithm, &public).is_err());
    }
    assert!(JwtKey::secret(JwtAlgorithm::RS256, [7; 64]).is_err());
}

/// A public RSA key of 1024 bits.
const SHORT_RSA: &str = "-----BEGIN PUBLIC KEY-----\n\
    MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCdU5Mynn1npoSeYwm49z49BFXg\n\
    5gOxZYrSNJdsStpQZECIyoBLOKjBujA0jPMnE/GkCaX7NflIUBDWAiP72GZr2MN2\n\
    s6l6kByW6aBHFETr5o/hWpPJoXURsPFhlfs52aibYclelt9Dm3m4YUVfSoWZu4zm\n\
    Kke8Aq4cRmrJHpE+uwIDAQAB\n\
    -----END PUBLIC KEY-----\n";
/// The modulus of this key.
const SHORT_MODULUS: &str = "nVOTMp59Z6aEnmMJuPc-PQRV4OYDsWWK0jSXbEraUGRAiMqASziowbowNIzzJxPxpAml-zX5SFAQ1gIj-9hma9jDdrOpepAclumgRxRE6-aP4VqTyaF1EbDxYZX7Odmom2HJXpbfQ5t5uGFFX0qFmbuM5ipHvAKuHEZqyR6RPrs";
/// A public key on P-256, with a compressed point (RFC 5480 §2.2).
const COMPRESSED: &str = "-----BEGIN PUBLIC KEY-----\n\
    MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACrAhwYqRuY3hDpzq3CXH1+LCFGpIj\n\
    DpqMEPEftMtmiLY=\n\
    -----END PUBLIC KEY-----\n";

/// RFC 7518 §3.3 and §3.4, RFC 8037 §3.1.
#[test]
fn keys_have_curve_or_length() {
    use JwtAlgorithm::*;
    let rsa = key().public_key_pem();
    // PKCS #1.
    let bare_rsa = STANDARD.encode(key().public_key_raw());
    let bare_rsa =
        format!("-----BEGIN RSA PUBLIC KEY-----\n{bare_rsa}\n-----END RSA PUBLIC KEY-----\n");
    let private_rsa = key().serialize_pem();
    let [p256, p384, ed25519] = [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
    ]
    .map(|kind| KeyPair::generate_for(kind).expect("a key"));
    let private_p256 = p256.serialize_pem();
    let [p256, p384, ed25519] = [p256, p384, ed25519].map(|pair| pair.public_key_pem());
    for (name, algorithm, pem, is_accepted) in [
        ("RSA", RS256, &*rsa, true),
        ("RSA", PS512, &rsa, true),
        ("RSA without its kind", RS384, &bare_rsa, true),
        ("private RSA", RS256, &private_rsa, false),
        ("RSA of 1024 bits", RS256, SHORT_RSA, false),
        ("RSA of 1024 bits", PS256, SHORT_RSA, false),
        ("P-256", ES256, &p256, true),
        ("P-256, compressed", ES256, COMPRESSED, true),
        ("P-256, compressed", ES384, COMPRESSED, false),
        ("private P-256", ES256, &private_p256, false),
        ("P-256", ES384, &p256, false),
        ("P-256", EdDSA, &p256, false),
        ("P-384", ES384, &p384, true),
        ("P-384", ES256, &p384, false),
        ("Ed25519", EdDSA, &ed25519, true),
        ("Ed25519", ES256, &ed25519, false),
        ("RSA", ES384, &rsa, false),
        ("RSA", EdDSA, &rsa, false),
        ("no PEM", PS384, "", false),
    ] {
        let required = match algorithm {
            ES256 => "key on P-256",
            ES384 => "key on P-384",
            EdDSA => "Ed25519 key",
            _ => "RSA key of 2048 to 8192 bits",
        };
        let expected = format!("it is not a public {required}, which {algorithm:?} takes");
        let expected = (!is_accepted).then_some(JwtError::Key(expected));
        assert_eq!(
            JwtKey::pem(algorithm, pem).err(),
            expected,
            "{name} {algorithm:?}"
        );
    }
}

/// A document without another key is unusable, which is no verdict on a caller.
#[test]
fn document_keys_have_curve_or_length() {
    let p256 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let (point, ed25519) = (&p256.public_key_raw()[1..], ed25519.public_key_raw());
    let rsa = |n: &str| json!({ "kty": "RSA", "n": n, "e": "AQAB" });
    let ec = |curve: &str, x: &[u8], y: &[u8]| {
        let [x, y] = [x, y].map(|number| URL_SAFE_NO_PAD.encode(number));
        json!({ "kty": "EC", "crv": curve, "x": x, "y": y })
    };
    let okp = |x: &[u8]| json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x) });
    // The modulus is before the exponent, which has five bytes in DER.
    let der = key().public_key_raw();
    let modulus = &der[der.len() - 5 - 256..der.len() - 5];
    let with_zero = [&[0], modulus].concat();
    let [modulus, with_zero] = [modulus, &with_zero].map(|number| URL_SAFE_NO_PAD.encode(number));
    for (name, key, is_used) in [
        ("RSA of 2048 bits", rsa(&modulus), true),
        ("RSA of 1024 bits", rsa(SHORT_MODULUS), false),
        ("RSA with a leading zero", rsa(&with_zero), false),
        ("P-256", ec("P-256", &point[..32], &point[32..]), true),
        (
            "another split",
            ec("P-256", &point[..31], &point[31..]),
            false,
        ),
        (
            "one byte less",
            ec("P-256", &point[1..32], &point[32..]),
            false,
        ),
        ("no point of P-256", ec("P-256", &[1; 32], &[1; 32]), false),
        ("P-384", ec("P-384", &point[..32], &point[32..]), false),
        ("Ed25519", okp(ed25519), true),
        ("Ed25519, one byte less", okp(&ed25519[1..]), false),
    ] {
        let jwt = Jwt::builder().issuer(ISSUER).audience("orders");
        let jwt = jwt.jwks(&json!({ "keys": [key] }).to_string());
        let expected = (!is_used).then_some(JwtError::NoKey);
        assert_eq!(jwt.build().err(), expected, "{name}");
    }
}
