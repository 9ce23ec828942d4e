//! Headers and claims that are almost those of a valid token.

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::JwtBuilder;
use auth_tests::proof::ProofKey;

use super::*;

fn verifier(set: impl FnOnce(JwtBuilder) -> JwtBuilder) -> Jwt {
    let key = JwtKey::rs256_pem(keys().rsa.public_key_pem()).expect("a public key");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    set(jwt).build().expect("a verifier")
}

/// Returns a token with these claims, in which `null` is a value.
fn with_claims(header: &Header, changes: &Value) -> String {
    let mut all = claims(json!({}));
    let members = all.as_object_mut().expect("an object");
    members.extend(changes.as_object().expect("an object").clone());
    encode(header, &all, &keys().signer(Algorithm::RS256)).expect("a token")
}

async fn status(app: &impl App, token: &str) -> u16 {
    send(app, "/known", &bearer(token)).await.status().as_u16()
}

/// Names are case-sensitive (RFC 7519 §2, RFC 7515 §4.1.4).
#[tokio::test]
async fn names_are_compared_exactly() {
    let app = app(space(Bearer::jwt(rsa_verifier())));
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "iss": ISSUER.to_uppercase() }), 401),
        (json!({ "iss": format!(" {ISSUER}") }), 401),
        (json!({ "aud": AUDIENCE.to_uppercase() }), 401),
        (json!({ "aud": [AUDIENCE.to_uppercase()] }), 401),
        (json!({ "aud": format!("{AUDIENCE}/") }), 401),
        (json!({ "aud": { AUDIENCE: true } }), 401),
    ] {
        assert_eq!(
            status(&app, &rs256(changes.clone())).await,
            expected,
            "{changes}"
        );
    }
    for (kid, expected) in [("rsa-1", 200), ("RSA-1", 401), ("rsa-", 401), ("", 401)] {
        let token = with_header(&json!({ "alg": "RS256", "kid": kid }));
        assert_eq!(status(&app, &token).await, expected, "{kid}");
    }
}

#[tokio::test]
async fn subjects_are_taken_as_they_are() {
    let app = app(space(Bearer::jwt(rsa_verifier())));
    let token = rs256(json!({ "sub": " ann" }));
    let identity = text(send(&app, "/known", &bearer(&token)).await).await;
    assert!(identity.contains("\" ann\""), "{identity}");
}

/// The header of a token chooses neither its key nor its form.
#[tokio::test]
async fn header_keys_and_forms_are_rejected() {
    let forger = ProofKey::new();
    let key = JwtKey::es256_pem(keys().ec.public_key_pem()).expect("a public key");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    let by_ec = app(space(Bearer::jwt(jwt.build().expect("a verifier"))));
    let header = json!({ "alg": "ES256", "jwk": forger.jwk() });
    let forged = forger.sign(&header, &claims(json!({})));
    assert_eq!(status(&by_ec, &forged).await, 401);

    let by_rsa = app(space(Bearer::jwt(rsa_verifier())));
    for (header, expected) in [
        (json!({ "alg": "RS256" }), 200),
        (json!({ "alg": "RS256", "zip": "DEF" }), 401),
        (json!({ "alg": "RS256", "enc": "A256GCM" }), 401),
        (json!({ "alg": "RS256", "enc": null }), 401),
        (json!({ "alg": "RS256", "typ": 1 }), 401),
        (json!(["RS256", null, null]), 401),
        // These decide nothing.
        (json!({ "alg": "RS256", "cty": 1, "jwk": "key" }), 200),
        (
            json!({ "alg": "RS256", "x5c": 1, "lab": { "x": [null] } }),
            200,
        ),
        (json!({ "alg": "RS256", "typ": "JOSE" }), 401),
        (json!({ "alg": "RS256", "typ": "application/JOSE" }), 401),
        (json!({ "alg": "RS256", "typ": "" }), 401),
    ] {
        assert_eq!(
            status(&by_rsa, &with_header(&header)).await,
            expected,
            "{header}"
        );
    }
}

/// RFC 7519 §2: a `NumericDate` is a number.
#[tokio::test]
async fn times_are_numbers() {
    let app = app(space(Bearer::jwt(rsa_verifier())));
    let later = now() + 300;
    let fraction: f64 = format!("{later}.5").parse().expect("a number");
    for (changes, expected) in [
        (json!({ "exp": later }), 200),
        (json!({ "exp": fraction }), 200),
        (json!({ "exp": later.to_string() }), 401),
        (json!({ "exp": [later] }), 401),
        (json!({ "exp": true }), 401),
        (json!({ "nbf": (now() - 300).to_string() }), 401),
    ] {
        assert_eq!(
            status(&app, &rs256(changes.clone())).await,
            expected,
            "{changes}"
        );
    }
}

#[tokio::test]
async fn clocks_differ_by_minute_by_default() {
    let since = Duration::from_secs(u64::try_from(now()).expect("after 1970"));
    let time = ManualClock::new(UNIX_EPOCH + since);
    let scheme = Bearer::jwt(verifier(|jwt| jwt.clock(time.clock())));
    let app = app(space_at(&time.clock(), scheme));
    let now = i64::try_from(since.as_secs()).expect("before year 9999");
    for (changes, expected) in [
        (json!({ "exp": now - 59 }), 200),
        (json!({ "exp": now - 60 }), 401),
        (json!({ "nbf": now + 60 }), 200),
        (json!({ "nbf": now + 61 }), 401),
    ] {
        assert_eq!(
            status(&app, &rs256(changes.clone())).await,
            expected,
            "{changes}"
        );
    }
}

#[tokio::test]
async fn null_is_not_a_value() {
    let profile = app(space(Bearer::jwt(verifier(|jwt| jwt.rfc9068_only()))));
    let header = Header {
        typ: Some("at+jwt".to_owned()),
        ..Header::new(Algorithm::RS256)
    };
    let complete = json!({ "client_id": "app", "iat": now(), "jti": "1" });
    assert_eq!(
        status(&profile, &with_claims(&header, &complete)).await,
        200
    );
    for name in ["sub", "client_id", "iat", "jti", "exp", "iss", "aud"] {
        let mut claims = complete.clone();
        claims[name] = Value::Null;
        let token = with_claims(&header, &claims);
        assert_eq!(status(&profile, &token).await, 401, "{name}");
    }
    // The profile requires an audience, whichever it is.
    let jwt = Jwt::builder().issuer(ISSUER).any_audience().rfc9068_only();
    let jwt = jwt.key(JwtKey::rs256_pem(keys().rsa.public_key_pem()).expect("a key"));
    let profile = app(space(Bearer::jwt(jwt.build().expect("a verifier"))));
    let with_aud = |aud: Value| {
        let mut claims = complete.clone();
        claims["aud"] = aud;
        claims
    };
    let (another, none) = (with_aud(json!("another")), with_aud(Value::Null));
    for (token, expected) in [
        (with_claims(&header, &another), 200),
        (with_claims(&header, &none), 401),
        (signed(Algorithm::RS256, &header, none), 401),
    ] {
        assert_eq!(status(&profile, &token).await, expected);
    }
    // A token with an audience, whichever it is, is not accepted by its client.
    let of_client = app(space(Bearer::jwt(verifier(|jwt| jwt.client("app")))));
    let header = Header::new(Algorithm::RS256);
    for (token, expected) in [
        (rs256(json!({ "aud": null, "client_id": "app" })), 200),
        (
            with_claims(&header, &json!({ "aud": null, "client_id": "app" })),
            401,
        ),
    ] {
        assert_eq!(status(&of_client, &token).await, expected);
    }
}

#[tokio::test]
async fn other_uses_of_tokens_are_rejected() {
    let app = app(space(Bearer::jwt(rsa_verifier())));
    for (kind, expected) in [
        ("access", 200),
        ("ACCESS", 200),
        ("access_token", 200),
        ("refresh", 401),
        ("refresh_token", 401),
        ("ID", 401),
        ("", 401),
    ] {
        let token = rs256(json!({ "token_use": kind }));
        assert_eq!(status(&app, &token).await, expected, "{kind}");
    }
}

/// A refreshed token is newer than its login.
#[tokio::test]
async fn token_times_are_not_login_times() {
    #[requires(max_age = "5m")]
    async fn fresh() {}

    let app = GuardedRouter::new()
        .route("/fresh", get(fresh))
        .protect(space(Bearer::jwt(rsa_verifier())))
        .expect("routes");
    for (changes, expected) in [
        (json!({ "iat": now(), "auth_time": now() - 60 }), 200),
        (json!({ "iat": now(), "auth_time": now() - 600 }), 401),
        (json!({ "iat": now() }), 401),
        (
            json!({ "iat": now(), "nbf": now(), "updated_at": now() }),
            401,
        ),
        (json!({ "iat": now(), "auth_time": now().to_string() }), 401),
    ] {
        let response = send(&app, "/fresh", &bearer(rs256(changes.clone()))).await;
        assert_eq!(response.status(), expected, "{changes}");
    }
}

/// Words are scopes in a string only.
#[tokio::test]
async fn members_of_array_are_single_scopes() {
    let app = app(space(Bearer::jwt(rsa_verifier())));
    for (scope, expected) in [
        (json!("write read"), 200),
        (json!(["write", "read"]), 200),
        (json!(["write read"]), 403),
        (json!("write\tread"), 403),
        (json!("write,read"), 403),
        (json!({ "read": true }), 403),
    ] {
        let token = rs256(json!({ "scope": scope }));
        let response = send(&app, "/read", &bearer(token)).await;
        assert_eq!(response.status(), expected, "{scope}");
    }
}

/// Each key without a name is tried for each token.
#[test]
fn first_256_keys_are_used() {
    let key = ProofKey::new().jwk();
    for (others, expected) in [(255, None), (256, Some(JwtError::NoKey))] {
        let mut keys = vec![json!({ "kty": "a kind of the future" }); others];
        keys.push(key.clone());
        let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
        let jwt = jwt.jwks(&json!({ "keys": keys }).to_string());
        assert_eq!(jwt.build().err(), expected, "{others}");
    }
}
