//! Routers and guards as text for developers: paths and policies.

use auth_runtime::routing::GuardedMethodRouter;
use axum::routing::MethodFilter;

use super::*;

#[test]
fn routers_show_paths_and_policies() {
    let methods: GuardedMethodRouter = get(read).fallback(open);
    assert_eq!(
        format!("{methods:?}"),
        format!(
            r#"{{Some({:?}): "requires(scope = \"read\")", None: "public(reason = \"for everybody\")"}}"#,
            MethodFilter::GET
        )
    );
    let router = GuardedRouter::new()
        .nest("/v1", GuardedRouter::new().route("/read", get(read)))
        .merge_unguarded("a test", &["/metrics"], Router::new());
    let shown = r#"{"/v1/read": "requires(scope = \"read\")", "unguarded": "a test"}"#;
    assert_eq!(format!("{router:?}"), shown);
    let space = space();
    let of_space = format!("{space:?}");
    let app = router.protect(space).unwrap();
    assert_eq!(format!("{app:?}"), format!("[({of_space}, {shown})]"));
}

#[tokio::test]
async fn guards_show_policies_but_no_callers() {
    #[requires(authenticated)]
    async fn shown(guard: Guard) -> String {
        format!("{guard:?}")
    }
    let app = GuardedRouter::new().route("/", get(shown));
    let app = app.protect(space()).unwrap();
    let (_, response) = send(&app, by(ann(), Method::GET, "/")).await;
    assert_eq!(text(response).await, "Guard(requires(authenticated))");
}
