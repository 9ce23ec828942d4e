//! GitHub Actions: an identity by the claims of the workflow, and conditions on them.

use auth_runtime::{Identity, Rejection};

use super::*;

const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": "https://deploy.example",
        "sub": "repo:shop/orders:ref:refs/heads/main",
        "repository": "shop/orders",
        "repository_owner": "shop",
        "ref": "refs/heads/main",
        "acr": "1",
    })
}

#[tokio::test]
async fn own_rule_builds_the_identity() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("https://deploy.example")
        .identity(|claims| {
            let repository = claims.get("repository").and_then(Value::as_str);
            let repository = repository.ok_or(Rejection::Invalid)?;
            let is_main = claims
                .get("ref")
                .is_some_and(|own| own == "refs/heads/main");
            let roles = is_main.then_some("admin");
            Ok(Identity::new(repository).with_roles(roles))
        }));
    let (status_of_main, shown) = ask(&app, "/caller", &token(&claims(), json!({}))).await;
    assert_eq!(
        (status_of_main, shown),
        (200, format!("shop/orders admin,-,- {ISSUER}"))
    );
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "ref": "refs/heads/other" }), 403),
        (json!({ "repository": null }), 401),
        (json!({ "repository": "" }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/admin", &token).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn all_conditions_on_claims_have_to_be_met() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("https://deploy.example")
        .accept_if(|claims| {
            claims
                .get("repository_owner")
                .is_some_and(|own| own == "shop")
        })
        .accept_if(|claims| {
            claims
                .get("ref")
                .is_some_and(|own| own == "refs/heads/main")
        }));
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "repository_owner": "other" }), 401),
        (json!({ "ref": "refs/heads/other" }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/caller", &token).await, expected, "{shown}");
    }
}
