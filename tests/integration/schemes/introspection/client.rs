//! The settings of the client, and its authentication.

use jsonwebtoken::{DecodingKey, Validation, decode};

use super::*;
use crate::schemes::tokens::keys;

#[tokio::test]
async fn the_client_authenticates() {
    let server = Server::start().await;
    server.says("good", active());
    assert_eq!(status(&server.app(), "good").await, 200);
    let (authorization, form) = server.endpoint.last.lock().unwrap().clone();
    let encoded = STANDARD.encode("my%3Aapi:a+secret+%26+more");
    assert_eq!(authorization.unwrap(), format!("Basic {encoded}"));
    assert_eq!(form["token_type_hint"], "access_token");
    assert!(!form.contains_key("client_secret"));

    let builder = server
        .builder()
        .client_secret_post("my:api", "a secret & more");
    assert_eq!(status(&of(builder), "good").await, 200);
    let (authorization, form) = server.endpoint.last.lock().unwrap().clone();
    assert_eq!(authorization, None);
    assert_eq!(form["client_id"], "my:api");
    assert_eq!(form["client_secret"], "a secret & more");

    let pem = keys().ec.serialize_pem();
    let builder = Introspection::builder()
        .endpoint(format!("http://{}/introspect", server.address))
        .private_key_es256("my-api", pem, ISSUER)
        .any_audience();
    let app = of(builder.without_cache());
    let mut proofs = Vec::new();
    for _ in 0..2 {
        assert_eq!(status(&app, "good").await, 200);
        let (authorization, form) = server.endpoint.last.lock().unwrap().clone();
        assert_eq!(authorization, None);
        assert_eq!(form["client_id"], "my-api");
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(form["client_assertion_type"], kind);
        let public = DecodingKey::from_ec_pem(keys().ec.public_key_pem().as_bytes()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[ISSUER]);
        validation.set_issuer(&["my-api"]);
        let proof = decode::<Value>(&form["client_assertion"], &public, &validation).unwrap();
        assert_eq!(proof.header.kid, None);
        assert_eq!(proof.claims["sub"], "my-api");
        let time = |name: &str| proof.claims[name].as_i64().expect("a time");
        assert_eq!(time("exp"), time("iat") + 60);
        assert!((now() - 10..=now()).contains(&time("iat")));
        proofs.push(proof.claims["jti"].clone());
    }
    assert_ne!(proofs[0], proofs[1]);
}

#[tokio::test]
async fn assertions_name_algorithm_and_key() {
    let server = Server::start().await;
    server.says("good", active());
    let public = keys().rsa.public_key_pem();
    let public = DecodingKey::from_rsa_pem(public.as_bytes()).unwrap();
    let builder = || {
        Introspection::builder()
            .endpoint(format!("http://{}/introspect", server.address))
            .any_audience()
    };
    let pem = keys().rsa.serialize_pem();
    // The order of the settings has no effect.
    for builder in [
        builder()
            .private_key_rs256("my-api", &pem, ISSUER)
            .key_id("2026-11"),
        builder()
            .key_id("2026-11")
            .private_key_rs256("my-api", &pem, ISSUER),
    ] {
        assert_eq!(status(&of(builder), "good").await, 200);
        let (_, form) = server.endpoint.last.lock().unwrap().clone();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[ISSUER]);
        let proof = decode::<Value>(&form["client_assertion"], &public, &validation).unwrap();
        assert_eq!(proof.claims["iss"], "my-api");
        assert_eq!(proof.header.kid.as_deref(), Some("2026-11"));
    }
}

#[test]
fn mistakes_are_found_and_secrets_hidden() {
    let builder = || Introspection::builder().client_secret("my-api", "not for everybody");
    let introspection = builder()
        .endpoint("https://issuer.example/introspect")
        .audience(AUDIENCE)
        .build();
    assert_eq!(
        format!("{:?}", introspection.unwrap()),
        r#"Introspection { endpoint: "https://issuer.example/introspect", client: "my-api", .. }"#
    );
    let with_endpoint = || Introspection::builder().endpoint("https://issuer.example/introspect");
    for (builder, message) in [
        (
            builder(),
            "the endpoint is missing; name it with `.endpoint(\"https://…\")`",
        ),
        (
            builder().endpoint("http://issuer.example/introspect"),
            "the endpoint \"http://issuer.example/introspect\" cannot be used: it has to be https \
             (or http on loopback, for tests); within a cluster, name it with \
             `.endpoint_over_plain_http(…)`",
        ),
        (
            with_endpoint(),
            "the credentials of the client are missing; add `.client_secret(…)` or \
             `.private_key_es256(…)`",
        ),
        (
            builder().endpoint("https://issuer.example/introspect"),
            "the audience is missing, so tokens for other services would be accepted; name it \
             with `.audience(\"…\")`, or choose `.any_audience()`",
        ),
        (
            with_endpoint()
                .client_secret("my-api", "")
                .audience(AUDIENCE)
                .subject_claim(""),
            "the name of a claim is empty",
        ),
        (
            with_endpoint()
                .client_secret("my-api", "")
                .audience(AUDIENCE)
                .issuer(""),
            "the issuer is empty",
        ),
        (
            with_endpoint().client_secret("my-api", "").audience(""),
            "the audience is missing, so tokens for other services would be accepted; name it \
             with `.audience(\"…\")`, or choose `.any_audience()`",
        ),
        (
            with_endpoint()
                .client_secret("my-api", "")
                .audience(AUDIENCE)
                .any_audience(),
            "an audience is given, and `.any_audience()` as well; remove one of them",
        ),
        (
            with_endpoint().private_key_rs256("my-api", "no key", ISSUER),
            "the key is not a private key for RS256 in PEM",
        ),
        (
            with_endpoint()
                .client_secret_post("my-api", "")
                .key_id("2026-11")
                .audience(AUDIENCE),
            "a key id is given, and the client authenticates with a secret; remove `.key_id(…)`, or \
             add `.private_key_es256(…)`",
        ),
        (
            with_endpoint().key_id("2026-11").audience(AUDIENCE),
            "the credentials of the client are missing; add `.client_secret(…)` or \
             `.private_key_es256(…)`",
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), message);
    }
}
