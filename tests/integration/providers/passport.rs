//! Laravel Passport: tokens without `iss`, times with fractions, and a key that is given.

use auth_runtime::schemes::JwtError;

use super::*;

fn claims() -> Value {
    json!({
        "aud": "9b3c1e5a-2d6f-4c3b-8e7a-1f2d3c4b5a69",
        "jti": "d1b5f0c4a8e7936251f0c4a8e7936251d1b5f0c4a8e79362",
        "nbf": now() as f64 + 0.123_456,
        "sub": "42",
        "scopes": ["orders:read"],
    })
}

fn builder() -> JwtBuilder {
    Jwt::builder()
        .without_issuer()
        .audience("9b3c1e5a-2d6f-4c3b-8e7a-1f2d3c4b5a69")
        .scope_claims(["scopes"])
        .accept_if(|claims| claims.get("sub") != claims.get("aud"))
}

#[tokio::test]
async fn tokens_without_issuer_need_given_key() {
    let app = app(builder());
    let fraction = |seconds: f64| json!(now() as f64 + seconds);
    let (status_of_user, shown) = ask(&app, "/caller", &token(&claims(), json!({}))).await;
    assert_eq!((status_of_user, shown.as_str()), (200, "42 -,-,- -"));
    for (path, changes, expected) in [
        ("/orders", json!({}), 200),
        ("/orders", json!({ "exp": fraction(300.5) }), 200),
        ("/orders", json!({ "exp": fraction(-300.5) }), 401),
        ("/orders", json!({ "exp": null }), 401),
        ("/orders", json!({ "scopes": [] }), 403),
        // It is not asked for that every client may do everything.
        ("/orders", json!({ "scopes": ["*"] }), 403),
        // An issuer that is named is another one.
        ("/orders", json!({ "iss": "https://shop.example" }), 401),
        ("/orders", json!({ "iss": "" }), 401),
        ("/orders", json!({ "aud": "another" }), 401),
        // A client that calls for itself is its own subject, and has none in older versions.
        (
            "/orders",
            json!({ "sub": "9b3c1e5a-2d6f-4c3b-8e7a-1f2d3c4b5a69" }),
            401,
        ),
        ("/orders", json!({ "sub": "" }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, path, &token).await, expected, "{path} {shown}");
    }
}

/// The ids of clients and of users are integers.
#[tokio::test]
async fn client_42_is_not_user_42() {
    let app = app(builder().audience("42").audience("7"));
    for (client, subject, expected) in [
        ("42", "42", 401),
        ("7", "42", 200),
        ("42", "7", 200),
        // A user cannot be told apart from the client.
        ("7", "7", 401),
    ] {
        let token = token(&claims(), json!({ "aud": client, "sub": subject }));
        let seen = status(&app, "/orders", &token).await;
        assert_eq!(seen, expected, "{client} {subject}");
    }
}

#[tokio::test]
async fn unnamed_issuer_beside_others() {
    const OTHER: &str = "https://issuer.example";
    let secret = [7; 32];
    let other = Jwt::builder()
        .issuer(OTHER)
        .audience("orders")
        .key(JwtKey::hs256(secret).expect("a key"))
        .build();
    let unnamed = with_key(builder()).build();
    let both = [unnamed, other].map(|jwt| jwt.expect("a verifier"));
    let app = app_of(Jwt::any_of(both).expect("two issuers"));
    let signer = EncodingKey::from_secret(&secret).expect("a secret");
    let header = Header::new(Algorithm::HS256);
    let of_other = json!({ "iss": OTHER, "aud": "orders", "sub": "ann" });
    for (token, expected) in [
        (token(&claims(), json!({})), 200),
        (signed_by(&signer, &header, &of_other, json!({})), 200),
        (signed_by(&signer, &header, &claims(), json!({})), 401),
        (token(&of_other, json!({})), 401),
    ] {
        assert_eq!(status(&app, "/caller", &token).await, expected);
    }
    let twice = [builder(), builder()].map(|builder| with_key(builder).build());
    let twice = twice.map(|jwt| jwt.expect("a verifier"));
    let error = Jwt::any_of(twice).unwrap_err();
    assert!(matches!(error, JwtError::DuplicateIssuer(_)));
}

#[test]
fn unnamed_issuer_needs_given_keys() {
    let url = builder().jwks_url("https://issuer.example/keys");
    assert_eq!(url.build().unwrap_err(), JwtError::FetchedWithoutIssuer);
    let found = builder().discover();
    assert_eq!(found.build().unwrap_err(), JwtError::FetchedWithoutIssuer);
    assert_eq!(builder().build().unwrap_err(), JwtError::NoKey);
    let both = with_key(builder().issuer("https://issuer.example"));
    assert_eq!(both.build().unwrap_err(), JwtError::SeveralIssuers);
}
