//! The algorithms of signatures.

use auth_runtime::schemes::JwtError;

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
fn a_key_is_of_the_kind_that_its_algorithm_takes() {
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
    assert!(JwtKey::pem(JwtAlgorithm::ES384, &public).is_err());
    assert!(JwtKey::pem(JwtAlgorithm::EdDSA, &public).is_err());
}
