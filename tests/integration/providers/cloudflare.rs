//! Cloudflare Access: the token of a program has an empty `sub`.

use auth_runtime::schemes::Claims;
use auth_runtime::{Identity, Rejection};

use super::*;

const ISSUER: &str = "https://shop.cloudflareaccess.example";
const APPLICATION: &str = "32eafc7626e737119e2a14cde8b1b0cae5cf0ea4c1a3f2c6a5b7d4e1f0c9a8b7";

fn builder() -> JwtBuilder {
    Jwt::builder().issuer(ISSUER).audience(APPLICATION)
}

fn user_or_program(claims: &Claims) -> Result<Identity, Rejection> {
    let text = |name| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("sub"), text("common_name")) {
        ("", "") => Err(Rejection::Invalid),
        ("", program) => Ok(Identity::new(format!("program/{program}"))),
        (user, _) => Ok(Identity::new(user)),
    }
}

#[tokio::test]
async fn programs_are_accepted_by_a_function() {
    let user = json!({
        "aud": [APPLICATION],
        "email": "ann@shop.example",
        "nbf": now(),
        "iss": ISSUER,
        "type": "app",
        "identity_nonce": "6ei69kawdKzMIAPF",
        "sub": "7335d417-61da-459d-899c-0a01c76a2f94",
        "country": "DE",
    });
    let program = json!({
        "type": "app",
        "aud": [APPLICATION],
        "iss": ISSUER,
        "common_name": "e367826f93b8d71185e03fe518aff3b4.access",
        "sub": "",
    });
    let plain = app(builder());
    let with_function = app(builder().identity(user_or_program));
    for (claims, changes, by_default, by_function) in [
        (
            &user,
            json!({}),
            200,
            "7335d417-61da-459d-899c-0a01c76a2f94",
        ),
        (
            &program,
            json!({}),
            401,
            "program/e367826f93b8d71185e03fe518aff3b4.access",
        ),
        (&program, json!({ "common_name": null }), 401, ""),
    ] {
        let token = token(claims, changes);
        assert_eq!(status(&plain, "/caller", &token).await, by_default);
        let (status, shown) = ask(&with_function, "/caller", &token).await;
        let subject = shown.split(' ').next().filter(|_| status == 200);
        assert_eq!(subject.unwrap_or_default(), by_function);
    }
}
