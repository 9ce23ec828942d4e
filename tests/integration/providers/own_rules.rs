//! Identities by a rule of the service, conditions on claims, and algorithms.

use auth_runtime::schemes::JwtError;
use auth_runtime::{Identity, Rejection};

use super::*;

const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": "https://deploy.example",
        "sub": "repo:shop/orders:ref:refs/heads/main",
        "repository": "shop/orders",
        "repository_owner": "shop",
        "ref": "refs/heads/main",
        "acr": "1",
    })
}

#[tokio::test]
async fn own_rule_builds_the_identity() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("https://deploy.example")
        .identity(|claims| {
            let repository = claims.get("repository").and_then(Value::as_str);
            let repository = repository.ok_or(Rejection::Invalid)?;
            let is_main = claims
                .get("ref")
                .is_some_and(|own| own == "refs/heads/main");
            let roles = is_main.then_some("admin");
            Ok(Identity::new(repository).with_roles(roles))
        }));
    let (status_of_main, shown) = ask(&app, "/caller", &token(&claims(), json!({}))).await;
    assert_eq!(
        (status_of_main, shown),
        (200, format!("shop/orders admin,-,- {ISSUER}"))
    );
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "ref": "refs/heads/other" }), 403),
        (json!({ "repository": null }), 401),
        (json!({ "repository": "" }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/admin", &token).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn all_conditions_on_claims_have_to_be_met() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("https://deploy.example")
        .accept_if(|claims| {
            claims
                .get("repository_owner")
                .is_some_and(|own| own == "shop")
        })
        .accept_if(|claims| {
            claims
                .get("ref")
                .is_some_and(|own| own == "refs/heads/main")
        }));
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "repository_owner": "other" }), 401),
        (json!({ "ref": "refs/heads/other" }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/caller", &token).await, expected, "{shown}");
    }
}

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
    let hmac = || Ok(EncodingKey::from_secret(&secret));
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
    let mut claims = claims();
    claims["exp"] = json!(now() + 300);
    let tokens = keys.each_ref().map(|(algorithm, _, signer)| {
        let signer = signer.as_ref().expect("a signing key");
        encode(&Header::new(*algorithm), &claims, signer).expect("a token")
    });
    for (index, (algorithm, key, _)) in keys.into_iter().enumerate() {
        let jwt = Jwt::builder()
            .issuer(ISSUER)
            .audience("https://deploy.example")
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
        assert_eq!(short, JwtError::ShortSecret(length));
        assert!(JwtKey::secret(algorithm, vec![7; length + 1]).is_ok());
        assert!(JwtKey::pem(algorithm, &public).is_err());
    }
    assert!(JwtKey::secret(JwtAlgorithm::RS256, [7; 64]).is_err());
    assert!(JwtKey::pem(JwtAlgorithm::ES384, &public).is_err());
    assert!(JwtKey::pem(JwtAlgorithm::EdDSA, &public).is_err());
}
