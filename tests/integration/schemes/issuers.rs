//! Several issuers under one scheme, and tokens that are not access tokens.

use auth_runtime::schemes::{JwtBuilder, JwtError};
use auth_tests::App;

use crate::schemes::tokens::{claims, now, rs256, with_header};
use crate::schemes::*;

const A: &str = "https://a.example";
const B: &str = "https://b.example";

/// Returns the verifier of an issuer with its own secret.
fn of(issuer: &str, secret: u8) -> JwtBuilder {
    Jwt::builder()
        .issuer(issuer)
        .audience(AUDIENCE)
        .key(JwtKey::hs256([secret; 32]).unwrap())
}

fn signed_by(secret: u8, changes: Value) -> String {
    let key = EncodingKey::from_secret(&[secret; 32]).expect("a secret");
    encode(&Header::new(Algorithm::HS256), &claims(changes), &key).expect("a token")
}

async fn status(app: &impl App, token: &str) -> u16 {
    send(app, "/known", &bearer(token)).await.status().as_u16()
}

/// The service chooses subject and grants; the login is that of the token.
#[tokio::test]
async fn own_identities_have_token_logins() {
    #[requires(acr = "mfa", amr = "otp", max_age = "5m", role = "member")]
    async fn strong() {}

    let member = Identity::new("user:1").with_roles(["member"]);
    let jwt = of(A, 1).identity(move |_| Ok(member.clone()));
    let app = GuardedRouter::new()
        .route("/strong", get(strong))
        .protect(space(Bearer::jwt(jwt.build().unwrap())))
        .unwrap();
    let good = json!({ "iss": A, "acr": "mfa", "amr": ["otp"], "auth_time": now() - 60 });
    for (name, value, expected) in [
        ("sub", json!("ann"), 200),
        ("acr", json!("pwd"), 401),
        ("acr", json!(null), 401),
        ("amr", json!(["pwd", "otp"]), 200),
        ("amr", json!("otp"), 200),
        ("amr", json!(["pwd"]), 401),
        ("amr", json!(null), 401),
        ("auth_time", json!(now() - 350), 200),
        ("auth_time", json!(now() - 370), 401),
        ("auth_time", json!(null), 401),
    ] {
        let mut claims = good.clone();
        claims[name] = value;
        let token = signed_by(1, claims.clone());
        let response = send(&app, "/strong", &bearer(token)).await;
        assert_eq!(response.status(), expected, "{claims}");
    }
}

#[tokio::test]
async fn tokens_use_keys_of_their_issuer() {
    let jwt = Jwt::any_of([of(A, 1).build().unwrap(), of(B, 2).build().unwrap()]).unwrap();
    let app = app(space(Bearer::jwt(jwt)));
    // Each twice, since verified tokens are cached.
    for _ in 0..2 {
        for (issuer, secret, expected) in [
            (json!(A), 1, 200),
            (json!(B), 2, 200),
            (json!(A), 2, 401),
            (json!(B), 1, 401),
            (json!("https://c.example"), 1, 401),
            (json!([A, B]), 1, 401),
            (Value::Null, 1, 401),
        ] {
            let token = signed_by(secret, json!({ "iss": issuer }));
            assert_eq!(status(&app, &token).await, expected, "{issuer} {secret}");
        }
    }
}

#[tokio::test]
async fn audiences_and_claims_belong_to_issuers() {
    let a = of(A, 1).roles_claim("groups").build().unwrap();
    let b = of(B, 2)
        .audience("https://b-only.example")
        .subject_claim("upn");
    let jwt = Jwt::any_of([a, b.build().unwrap()]).unwrap();
    let app = app(space(Bearer::jwt(jwt)));
    let b_only = json!("https://b-only.example");
    for (secret, changes, expected) in [
        (1, json!({ "iss": A, "aud": b_only }), 401),
        (2, json!({ "iss": B, "aud": b_only, "upn": "ann" }), 200),
        (
            2,
            json!({ "iss": B, "upn": "ann@b.example", "sub": null }),
            200,
        ),
        (2, json!({ "iss": B }), 401),
        (2, json!({ "iss": B, "upn": "" }), 401),
        (2, json!({ "iss": B, "upn": ["ann"] }), 401),
        (1, json!({ "iss": A, "sub": null, "upn": "ann" }), 401),
    ] {
        let token = signed_by(secret, changes.clone());
        assert_eq!(status(&app, &token).await, expected, "{changes}");
    }
    let token = signed_by(2, json!({ "iss": B, "upn": "ann@b.example", "sub": "7" }));
    let response = send(&app, "/known", &bearer(&token)).await;
    let identity = text(response).await;
    assert!(identity.contains("ann@b.example"), "{identity}");
}

#[test]
fn one_issuer_is_configured_once() {
    let a = || of(A, 1).build().unwrap();
    assert_eq!(
        Jwt::any_of([a(), a()]).unwrap_err(),
        JwtError::DuplicateIssuer(A.to_owned())
    );
    assert_eq!(Jwt::any_of([]).unwrap_err(), JwtError::NoIssuer);
    assert_eq!(
        of(A, 1).issuer(B).build().unwrap_err(),
        JwtError::SeveralIssuers
    );
    let joined = Jwt::any_of([a(), of(B, 2).build().unwrap()]).unwrap();
    assert!(Jwt::any_of([joined, of("https://c.example", 3).build().unwrap()]).is_ok());
}

#[tokio::test]
async fn joined_issuers_can_be_joined_again() {
    const C: &str = "https://c.example";
    let built = |issuer, secret| of(issuer, secret).build().unwrap();
    let joined = Jwt::any_of([built(A, 1), built(B, 2)]).unwrap();
    let all = Jwt::any_of([joined.clone(), built(C, 3)]).unwrap();
    let app = app(space(Bearer::jwt(all)));
    for (issuer, secret, expected) in [
        (A, 1, 200),
        (B, 2, 200),
        (C, 3, 200),
        (B, 1, 401),
        (C, 2, 401),
    ] {
        let token = signed_by(secret, json!({ "iss": issuer }));
        assert_eq!(status(&app, &token).await, expected, "{issuer} {secret}");
    }
    assert_eq!(
        Jwt::any_of([joined, built(B, 4)]).unwrap_err(),
        JwtError::DuplicateIssuer(B.to_owned())
    );
}

/// A rule of the service knows whether a token is malformed or expired.
#[tokio::test]
async fn rules_for_identities_reject_tokens() {
    for (rejection, challenge) in [
        (Rejection::Invalid, INVALID),
        (Rejection::Expired, EXPIRED),
        (Rejection::Malformed, MALFORMED),
    ] {
        let jwt = of(A, 1).identity(move |_| Err(rejection));
        let app = app(space(Bearer::jwt(jwt.build().unwrap())));
        let token = signed_by(1, json!({ "iss": A }));
        let response = send(&app, "/known", &bearer(token)).await;
        assert_eq!(response.status(), 401, "{rejection:?}");
        assert_eq!(challenges(&response), [challenge], "{rejection:?}");
    }
}

#[tokio::test]
async fn users_of_client_are_separate_subjects() {
    let jwt = of(A, 1)
        .subject_claim("preferred_username")
        .build()
        .unwrap();
    let app = app(space(Bearer::jwt(jwt)));
    for user in ["ann", "bob"] {
        let changes = json!({ "iss": A, "sub": null, "azp": "spa", "preferred_username": user });
        let response = send(&app, "/known", &bearer(signed_by(1, changes))).await;
        let identity = text(response).await;
        assert!(identity.contains(user), "{identity}");
    }
    let nameless = signed_by(1, json!({ "iss": A, "sub": null, "azp": "spa" }));
    assert_eq!(status(&app, &nameless).await, 401);
}

#[tokio::test]
async fn only_access_tokens_are_accepted() {
    let jwt = tokens::rsa_verifier();
    let app = app(space(Bearer::jwt(jwt)));
    let logout = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    for (changes, expected) in [
        (json!({ "token_use": "id" }), 401),
        (json!({ "token_use": ["access"] }), 401),
        (json!({ "typ": "ID" }), 401),
        (json!({ "typ": "Refresh" }), 401),
        (json!({ "typ": "offline" }), 401),
        (json!({ "typ": "Logout" }), 401),
        (json!({ "events": logout }), 401),
        // Claims of ID tokens.
        (json!({ "at_hash": "x" }), 401),
        (json!({ "c_hash": "x" }), 401),
        // Claims in access tokens of Keycloak, Cognito, Entra and Auth0.
        (
            json!({ "typ": "Bearer", "azp": "spa", "session_state": "1" }),
            200,
        ),
        (json!({ "token_use": "access", "client_id": "spa" }), 200),
        (
            json!({ "ver": "2.0", "uti": "1", "rh": "1", "azpacr": "1" }),
            200,
        ),
        (json!({ "gty": "client-credentials", "azp": "job" }), 200),
    ] {
        let token = rs256(changes.clone());
        assert_eq!(status(&app, &token).await, expected, "{changes}");
    }
    for kind in [
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "application/logout+jwt",
    ] {
        let token = with_header(&json!({ "alg": "RS256", "typ": kind }));
        assert_eq!(status(&app, &token).await, 401, "{kind}");
    }
}

#[test]
fn empty_setting_is_a_build_error() {
    for (builder, error) in [
        (of("", 1), JwtError::NoIssuer),
        (of(A, 1).audience(""), JwtError::NoAudience),
        (of(A, 1).subject_claim(""), JwtError::ClaimName),
        (of(A, 1).roles_claim(""), JwtError::ClaimName),
        (of(A, 1).permissions_claim(""), JwtError::ClaimName),
        (of(A, 1).scope_claims(["scope", ""]), JwtError::ClaimName),
    ] {
        assert_eq!(builder.build().unwrap_err(), error);
    }
    let no_scopes: [&str; 0] = [];
    assert!(of(A, 1).scope_claims(no_scopes).build().is_ok());
}

#[tokio::test]
async fn identity_names_issuer_of_its_subject() {
    #[requires(authenticated)]
    async fn issuer(guard: Guard) -> String {
        let identity = guard.identity();
        format!("{} of {:?}", identity.subject(), identity.issuer())
    }
    let jwt = Jwt::any_of([of(A, 1).build().unwrap(), of(B, 2).build().unwrap()]).unwrap();
    let keys = ApiKeys::builder().key("0123456789abcdef", Identity::new("ann"));
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(jwt))
        .scheme(keys.build().unwrap());
    let app = GuardedRouter::new().route("/", get(issuer));
    let app = app.protect(space.build().unwrap()).unwrap();
    for (lines, expected) in [
        (
            bearer(signed_by(1, json!({ "iss": A }))),
            r#"ann of Some("https://a.example")"#,
        ),
        (
            bearer(signed_by(2, json!({ "iss": B }))),
            r#"ann of Some("https://b.example")"#,
        ),
        (
            vec![("x-api-key", b"0123456789abcdef".to_vec())],
            "ann of None",
        ),
    ] {
        assert_eq!(text(send(&app, "/", &lines).await).await, expected);
    }
}
