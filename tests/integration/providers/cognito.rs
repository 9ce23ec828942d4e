//! Amazon Cognito: access tokens have no audience, but a client. Those for a resource have it as their audience.

use super::*;

const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE";

fn claims() -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "cognito:groups": ["admin"],
        "iss": ISSUER,
        "version": 2,
        "client_id": "1example23456789",
        "origin_jti": "dddddddd-eeee-ffff-0000-111111111111",
        "token_use": "access",
        "scope": "orders:read aws.cognito.signin.user.admin",
        "auth_time": now() - 60,
        "jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeef",
        "username": "ann",
    })
}

#[tokio::test]
async fn configured_clients_may_use_access_tokens() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .client("1example23456789")
        .client("another")
        .roles_claim("cognito:groups"));
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "client_id": "another" }), 200),
        (json!({ "client_id": "a stranger" }), 401),
        (json!({ "client_id": null }), 401),
        (json!({ "client_id": 7 }), 401),
        (json!({ "token_use": "id" }), 401),
        // An ID token has the client as its audience.
        (
            json!({ "token_use": "id", "aud": "1example23456789", "client_id": null }),
            401,
        ),
        (json!({ "aud": "1example23456789" }), 401),
        (json!({ "aud": "another service" }), 401),
        (json!({ "aud": [] }), 401),
        (json!({ "aud": 7 }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/admin", &token).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn client_does_not_replace_the_audience() {
    const RESOURCE: &str = "https://api.shop.example/mcp";
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience(RESOURCE)
        .client("1example23456789"));
    let id_token = json!({ "token_use": "id", "aud": "1example23456789", "client_id": null });
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "aud": RESOURCE }), 200),
        (json!({ "aud": RESOURCE, "client_id": "a stranger" }), 200),
        (json!({ "aud": "another service" }), 401),
        (id_token, 401),
        (json!({ "client_id": "a stranger" }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/caller", &token).await, expected, "{shown}");
    }
}
