//! Auth0: claims of a service are named by URLs, and permissions have a claim of their own.

use super::*;

const ISSUER: &str = "https://shop.eu.auth0.com/";
const ROLES: &str = "https://shop.example/roles";

#[tokio::test]
async fn claim_named_by_url_is_found() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("https://orders.example")
        .roles_claim(ROLES));
    let claims = json!({
        "iss": ISSUER,
        "sub": "auth0|6478a1f0b2c3d4e5f6a7b8c9",
        "aud": ["https://orders.example", "https://shop.eu.auth0.com/userinfo"],
        "azp": "my_client_id",
        "scope": "openid profile orders:read",
        "permissions": ["orders:write"],
        ROLES: ["admin"],
    });
    let token_of_ann = token(&claims, json!({}));
    for path in ["/admin", "/orders", "/orders/change"] {
        assert_eq!(status(&app, path, &token_of_ann).await, 200, "{path}");
    }
    let nested = token(
        &claims,
        json!({ ROLES: null, "https://shop": { "example/roles": ["admin"] } }),
    );
    assert_eq!(status(&app, "/admin", &nested).await, 403);
}
