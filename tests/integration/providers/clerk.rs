//! Clerk: session tokens have no audience and no client, but the origin of the application.

use super::*;

const ISSUER: &str = "https://clerk.shop.example";

fn claims() -> Value {
    json!({
        "azp": "https://shop.example",
        "fva": [7, -1],
        "iss": ISSUER,
        "nbf": now() - 10,
        "sid": "sess_2GaMqUCB3Sc1WNAkWuNzsnYVVEy",
        "sub": "user_2GaMqTvpJbVKnJwbZBBzBWkTmXG",
        "v": 2,
        "pla": "u:free",
        "o": { "id": "org_2GaMr", "rol": "admin", "slg": "shop" },
    })
}

#[tokio::test]
async fn session_tokens_of_application_are_accepted() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .any_audience()
        .accept_if(|claims| {
            claims
                .get("azp")
                .is_some_and(|azp| azp == "https://shop.example")
        })
        .accept_if(|claims| claims.get("sid").is_some())
        .roles_claim(["o", "rol"]));
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "o": null }), 403),
        (json!({ "azp": "https://eve.example" }), 401),
        (json!({ "azp": null }), 401),
        // A token of a JWT template, for another service.
        (json!({ "sid": null, "aud": "another service" }), 401),
        (json!({ "iss": "https://eve.example" }), 401),
        (json!({ "exp": null }), 401),
        (json!({ "sub": null }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/admin", &token).await, expected, "{shown}");
    }
}

/// The access tokens of Ory Hydra have an empty list by default.
#[tokio::test]
async fn any_audience_is_accepted() {
    let any = app(Jwt::builder().issuer(ISSUER).any_audience());
    let one = app(Jwt::builder().issuer(ISSUER).audience("orders"));
    for (changes, expected) in [
        (json!({}), 401),
        (json!({ "aud": [] }), 401),
        (json!({ "aud": 7 }), 401),
        (json!({ "aud": "another" }), 401),
        (json!({ "aud": "orders" }), 200),
        (json!({ "aud": null, "client_id": "orders" }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&any, "/caller", &token).await, 200, "{shown}");
        assert_eq!(status(&one, "/caller", &token).await, expected, "{shown}");
    }
    // The other rules apply.
    for changes in [json!({ "token_use": "id" }), json!({ "at_hash": "AQ" })] {
        let token = token(&claims(), changes.clone());
        assert_eq!(status(&any, "/caller", &token).await, 401, "{changes}");
    }
}
