//! A service with the engine in its protection space.

use auth_runtime::objects::{Action, Condition, Resource, Value};
use auth_runtime::routing::get;
use auth_runtime::schemes::ApiKeys;
use auth_runtime::{
    Denied, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, requires,
};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;

use crate::engine;
use crate::messages::Requirement;
use crate::pdp::{Behaviour, Pdp, token};

/// The key of Ann.
const KEY: &str = "k-4f1c0b6e9a8d47d2";
const READ: Action = Action::new("read");

/// The ids of a condition that names them.
fn ids(condition: &Condition) -> String {
    let Condition::OneOf(property, ids) = condition else {
        panic!("a condition by ids: {condition:?}");
    };
    assert_eq!(property, "id");
    let ids = ids.iter().map(|id| match id {
        Value::Text(id) => id.as_str(),
        other => panic!("an id is a text: {other:?}"),
    });
    ids.collect::<Vec<_>>().join(" ")
}

/// The candidates of an engine that names ids: they are not needed.
async fn unneeded() -> Result<Vec<Resource>, Denied> {
    panic!("the engine decides about single objects")
}

#[requires(authenticated)]
async fn list(guard: Guard) -> Result<String, Denied> {
    let condition = guard.permitted(READ, "Document", unneeded()).await?;
    Ok(ids(&condition))
}

#[requires(authenticated)]
async fn filter(guard: Guard) -> Result<String, Denied> {
    struct Document(&'static str);
    impl From<&Document> for Resource {
        fn from(document: &Document) -> Self {
            Self::new("Document", document.0)
        }
    }
    let documents = vec![Document("own"), Document("other"), Document("own")];
    let documents = guard.filter(READ, documents).await?;
    Ok(documents.iter().map(|document| document.0).collect())
}

#[requires(can = "update", on = "Document::{id}", hide_as = 404, hide_unless = can("read"))]
async fn update() {}

/// Asks once by the policy, and twice more.
#[requires(can = "read", on = "Document::{id}")]
async fn related(guard: Guard) -> Result<(), Denied> {
    guard.can(READ, Resource::new("Document", "own")).await?;
    guard.permitted(READ, "Document", unneeded()).await?;
    Ok(())
}

fn app(pdp: &Pdp) -> ProtectedRouter {
    let keys = ApiKeys::builder().key(KEY, Identity::new("ann"));
    let space = ProtectionSpace::builder()
        .realm("shop")
        .scheme(keys.build().unwrap())
        .decision_point(engine(pdp));
    GuardedRouter::new()
        .route("/list", get(list))
        .route("/filter", get(filter))
        .route("/documents/{id}", get(update))
        .route("/documents/{id}/related", get(related))
        .protect(space.build().unwrap())
        .unwrap()
}

async fn ask(pdp: &Pdp, path: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).header("x-api-key", KEY);
    let request = request.body(Body::empty()).unwrap();
    let response = app(pdp).oneshot(request).await.unwrap();
    let fields = format!("{:?}", response.headers());
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 100_000)
        .await
        .unwrap();
    (status, fields, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn decisions_are_statuses() {
    let pdp = Pdp::start().await;
    for (path, status, body) in [
        ("/list", StatusCode::OK, "own"),
        ("/filter", StatusCode::OK, "ownown"),
        ("/documents/own", StatusCode::OK, ""),
    ] {
        let seen = pdp.seen().len();
        let (found, _, text) = ask(&pdp, path).await;
        assert_eq!((found, text.as_str()), (status, body), "{path}");
        assert_eq!(pdp.seen().len(), seen + 1, "{path}");
    }
    assert_eq!(ask(&pdp, "/documents/other").await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask(&pdp, "/documents/%2A").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn later_calls_are_as_fresh() {
    let pdp = Pdp::start().await;
    for path in ["/documents/own/related", "/list", "/documents/own/related"] {
        assert_eq!(ask(&pdp, path).await.0, StatusCode::OK, "{path}");
    }
    let first = Requirement::MinimizeLatency(true);
    let after = |number| Requirement::AtLeastAsFresh(token(number));
    let expected = [
        first.clone(),
        after(1),
        after(2),
        // Another request.
        first.clone(),
        // A third one.
        first,
        after(5),
        after(6),
    ];
    assert_eq!(pdp.requirements(), expected);
}

#[tokio::test]
async fn failures_are_503() {
    let pdp = Pdp::start().await;
    for behaviour in [
        Behaviour::Status(14),
        Behaviour::Status(16),
        Behaviour::Never,
    ] {
        pdp.behave(behaviour);
        for path in ["/list", "/filter"] {
            let (status, fields, body) = ask(&pdp, path).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert!(fields.contains(r#""retry-after": "5""#), "{fields}");
            assert!(
                !body.contains("own") && !body.contains("key-of-the-tests"),
                "{body}"
            );
        }
        assert_eq!(ask(&pdp, "/documents/own").await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn foreign_names_are_found_at_start() {
    #[requires(can = "update", on = "Io::{id}")]
    async fn update_io() {}

    let pdp = Pdp::start().await;
    let keys = ApiKeys::builder().key(KEY, Identity::new("ann"));
    let space = ProtectionSpace::builder()
        .realm("shop")
        .scheme(keys.build().unwrap())
        .decision_point(engine(&pdp));
    let router: GuardedRouter = GuardedRouter::new().route("/{id}", get(update_io));
    let error = router
        .protect(space.build().unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("Io"), "{error}");
}
