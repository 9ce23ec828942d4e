//! Decisions by the claim `access`.

use std::sync::{Arc, Mutex};

use super::*;

#[tokio::test]
async fn tokens_decide_about_type_name_action() {
    let app = app();
    let target = "/v2/ann/web/manifests/latest";
    let repository = |name: &str, actions: Value| {
        claims(json!([{ "type": "repository", "name": name, "actions": actions }]))
    };
    for (token, expected) in [
        (repository("ann/web", json!(["pull"])), 200),
        (repository("ann/web", json!(["*"])), 200),
        (repository("ann/web", json!(["push", "pull"])), 200),
        (repository("ann/web", json!(["push"])), 401),
        (repository("ann/web", json!([])), 401),
        (repository("ann/web", json!("pull")), 401),
        (repository("ann/web2", json!(["pull"])), 401),
        (repository("ann", json!(["pull"])), 401),
        (repository("*", json!(["*"])), 401),
        (
            claims(json!([{ "type": "Repository", "name": "ann/web", "actions": ["pull"] }])),
            401,
        ),
        (
            claims(json!([{ "type": "registry", "name": "ann/web", "actions": ["pull"] }])),
            401,
        ),
        (
            claims(json!([{ "name": "ann/web", "actions": ["pull"] }])),
            401,
        ),
        (
            claims(json!({ "type": "repository", "name": "ann/web", "actions": ["pull"] })),
            401,
        ),
        (claims(json!(["repository:ann/web:pull"])), 401),
        (
            claims(json!([3, { "type": "repository", "name": "ann/web", "actions": [7, "pull"] }])),
            200,
        ),
        (token(json!({})), 401),
        // A scope of that text grants nothing.
        (token(json!({ "scope": "repository:ann/web:pull" })), 401),
    ] {
        let answer = get_of(&app, target, Some(&token)).await;
        assert_eq!(answer.0, expected, "{token}");
    }
}

#[tokio::test]
async fn lists_contain_objects_of_token() {
    let app = app();
    let both = claims(json!([
        { "type": "repository", "name": "bob/web", "actions": ["pull"] },
        { "type": "repository", "name": "ann/db", "actions": ["push"] },
        { "type": "repository", "name": "ann/web", "actions": ["*"] },
    ]));
    let request = Request::get("/catalogue").header("authorization", format!("Bearer {both}"));
    let request = request.body(Body::empty()).expect("a request");
    let Ok(response) = app.oneshot(request).await;
    let body = axum::body::to_bytes(response.into_body(), 1000)
        .await
        .expect("a body");
    assert_eq!(body, "ann/web bob/web");
}

#[tokio::test]
async fn records_name_the_decision_point() {
    let names = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&names);
    let space = space_of(bearer()).audit(move |record| {
        seen.lock().expect("no panic").push(record.engine());
    });
    let app = protect(space);
    let token = granting("ann/web", &["pull"]);
    let target = "/v2/ann/web/manifests/latest";
    assert_eq!(get_of(&app, target, Some(&token)).await.0, 200);
    assert_eq!(*names.lock().expect("no panic"), [Some("access claim")]);
}

#[test]
fn types_without_tokens_are_mistakes() {
    #[requires(can = "pull", on = "App::Repository::{name}")]
    async fn pull() {}

    let space = space_of(bearer()).build().expect("the space is in order");
    let routes: GuardedRouter = GuardedRouter::new().route("/{name}", get(pull));
    let error = routes.protect(space).expect_err("an error").to_string();
    assert!(error.contains("App::Repository"), "{error}");
}
