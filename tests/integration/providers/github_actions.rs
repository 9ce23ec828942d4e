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
        "repository_id": "74",
        "repository_owner": "shop",
        "repository_owner_id": "65",
        "ref": "refs/heads/main",
        "acr": "1",
    })
}

/// The names of owners and repositories are given to others after a rename, and the ids are not.
#[tokio::test]
async fn repositories_are_distinguished_by_their_id() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("https://deploy.example")
        .accept_if(|claims| {
            let owner = claims.get("repository_owner_id");
            owner.is_some_and(|id| id == "65")
        })
        .identity(|claims| {
            let text = |name| claims.get(name).and_then(Value::as_str);
            let repository = text("repository_id").ok_or(Rejection::Invalid)?;
            let deploys = repository == "74" && text("ref") == Some("refs/heads/main");
            Ok(Identity::new(repository).with_roles(deploys.then_some("admin")))
        }));
    let (status_of_main, shown) = ask(&app, "/caller", &token(&claims(), json!({}))).await;
    assert_eq!(
        (status_of_main, shown),
        (200, format!("74 admin,-,- {ISSUER}"))
    );
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "repository": "shop/renamed" }), 200),
        (json!({ "ref": "refs/heads/other" }), 403),
        (json!({ "repository_id": "75" }), 403),
        (json!({ "repository_id": null }), 401),
        (json!({ "repository_id": "" }), 401),
        (json!({ "repository_id": 74 }), 401),
        (json!({ "repository_owner_id": "66" }), 401),
        (json!({ "repository_owner_id": null }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/admin", &token).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn all_claim_conditions_are_required() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("https://deploy.example")
        .accept_if(|claims| {
            claims
                .get("repository_owner_id")
                .is_some_and(|own| own == "65")
        })
        .accept_if(|claims| {
            claims
                .get("ref")
                .is_some_and(|own| own == "refs/heads/main")
        }));
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "repository_owner_id": "66" }), 401),
        (json!({ "ref": "refs/heads/other" }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(), changes);
        assert_eq!(status(&app, "/caller", &token).await, expected, "{shown}");
    }
}
