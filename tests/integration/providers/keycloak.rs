//! Keycloak: roles of the realm and of clients in nested objects.

use super::*;

const ISSUER: &str = "https://keycloak.example/realms/shop";

fn claims() -> Value {
    json!({
        "jti": "0e4b7c1a-2d0f-4a39-9f1d-2b8c1f2f6f11",
        "iss": ISSUER,
        "aud": ["orders", "account"],
        "sub": "f:2b1f9c7e:ann",
        "typ": "Bearer",
        "azp": "web",
        "acr": "1",
        "realm_access": { "roles": ["user", "offline_access"] },
        "resource_access": {
            "orders": { "roles": ["admin"] },
            "account": { "roles": ["view-profile", "editor"] },
        },
        "scope": "openid profile orders:read",
        "preferred_username": "ann",
    })
}

#[tokio::test]
async fn realm_and_client_roles_are_found() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("orders")
        .roles_claim(["realm_access", "roles"])
        .roles_claim(["resource_access", "orders", "roles"]));
    let token_of_ann = token(&claims(), json!({}));
    let (status_of_ann, shown) = ask(&app, "/caller", &token_of_ann).await;
    // Without `editor`, which is a role of another client.
    let expected = format!("f:2b1f9c7e:ann admin,-,user {ISSUER}");
    assert_eq!((status_of_ann, shown), (200, expected));
    assert_eq!(status(&app, "/admin", &token_of_ann).await, 200);
    assert_eq!(status(&app, "/orders", &token_of_ann).await, 200);

    for (changes, expected) in [
        (json!({ "resource_access": null }), 403),
        (
            json!({ "resource_access": { "orders": { "roles": [] } } }),
            403,
        ),
        (json!({ "resource_access": { "orders": ["admin"] } }), 403),
        (json!({ "resource_access": "admin" }), 403),
        // A claim with dots in its name is a different one.
        (
            json!({ "resource_access": null, "resource_access.orders.roles": ["admin"] }),
            403,
        ),
        (json!({ "typ": "ID" }), 401),
        (json!({ "typ": "Refresh" }), 401),
        (json!({ "sub": null }), 401),
        (json!({ "aud": "account" }), 401),
        (
            json!({ "iss": "https://keycloak.example/realms/other" }),
            401,
        ),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/admin", &token).await, expected, "{shown}");
    }
}
