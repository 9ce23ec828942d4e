//! Zitadel: the roles are the keys of an object.

use auth_runtime::schemes::ClaimPath;

use super::*;

const ISSUER: &str = "https://shop.zitadel.example";
const ROLES: &str = "urn:zitadel:iam:org:project:roles";

fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": ["169348502374523904", "orders"],
        "sub": "170079991923474689",
        "nbf": now(),
        "jti": "V1-at_170079991923474690",
        ROLES: { "admin": { "170079991923474688": "shop.zitadel.example" } },
    })
}

#[tokio::test]
async fn roles_as_keys_of_an_object() {
    let builder = || Jwt::builder().issuer(ISSUER).audience("orders");
    let by_keys = app(builder().roles_claim(ClaimPath::from(ROLES).keys()));
    let token_of_admin = token(&claims(), json!({}));
    assert_eq!(status(&by_keys, "/admin", &token_of_admin).await, 200);
    // Without `keys()`, an object grants nothing.
    let by_name = app(builder().roles_claim(ROLES));
    assert_eq!(status(&by_name, "/admin", &token_of_admin).await, 403);
    for roles in [
        json!({}),
        json!({ "user": {} }),
        json!([]),
        json!(["admin"]),
        json!("admin"),
    ] {
        let token = token(&claims(), json!({ ROLES: roles }));
        assert_eq!(status(&by_keys, "/admin", &token).await, 403, "{roles}");
    }
}
