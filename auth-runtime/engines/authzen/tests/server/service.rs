//! A service with the engine in its protection space.

use auth_runtime::objects::{Action, Resource};
use auth_runtime::routing::get;
use auth_runtime::schemes::ApiKeys;
use auth_runtime::{
    Denied, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, requires,
};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use crate::engine;
use crate::pdp::{Behaviour, Pdp};

/// The key of Ann.
const KEY: &str = "k-4f1c0b6e9a8d47d2";
const READ: Action = Action::new("read");

struct Document {
    id: &'static str,
    owner: &'static str,
}

impl From<&Document> for Resource {
    fn from(document: &Document) -> Self {
        Self::new("Document", document.id).with_property("owner", document.owner)
    }
}

#[requires(authenticated)]
async fn list(guard: Guard) -> Result<String, Denied> {
    let documents = [("d1", "ann"), ("d2", "bob"), ("d3", "ann")];
    let documents = documents.map(|(id, owner)| Document { id, owner });
    let documents = guard.filter(READ, documents.into()).await?;
    Ok(documents.iter().map(|document| document.id).collect())
}

#[requires(can = "update", on = "Document::{id}")]
async fn update() {}

async fn app(pdp: &Pdp) -> ProtectedRouter {
    let keys = ApiKeys::builder().key(KEY, Identity::new("ann"));
    let space = ProtectionSpace::builder()
        .realm("shop")
        .scheme(keys.build().unwrap())
        .decision_point(engine(pdp));
    GuardedRouter::new()
        .route("/documents", get(list))
        .route("/documents/{id}", get(update))
        .protect(space.build().unwrap())
        .unwrap()
}

async fn ask(pdp: &Pdp, path: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).header("x-api-key", KEY);
    let request = request.body(Body::empty()).unwrap();
    let response = app(pdp).await.oneshot(request).await.unwrap();
    let fields = format!("{:?}", response.headers());
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, fields, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn lists_are_filtered_by_one_request() {
    let pdp = Pdp::start();
    let (status, _, body) = ask(&pdp, "/documents").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "d1d3"));
    assert_eq!(pdp.seen().len(), 1);
}

#[tokio::test]
async fn decisions_are_statuses() {
    let pdp = Pdp::start();
    pdp.send(&json!({ "decision": true }));
    assert_eq!(ask(&pdp, "/documents/d1").await.0, StatusCode::OK);
    let seen = pdp.last().body;
    assert_eq!(seen["resource"], json!({ "type": "Document", "id": "d1" }));
    assert_eq!(seen["context"]["path"], "/documents/d1");
    pdp.send(&json!({ "decision": false }));
    assert_eq!(ask(&pdp, "/documents/d1").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn failures_are_503() {
    let mut pdp = Pdp::start();
    // The response of OpenFGA to several questions while its database is out of order.
    let failed = json!({
        "decision": false,
        "context": { "error": { "status": 404, "message": "context deadline exceeded" } },
    });
    let failed = json!({ "evaluations": vec![&failed; 3] });
    for behaviour in [
        Behaviour::Status(500),
        Behaviour::Status(403),
        Behaviour::Never,
        Behaviour::Send(r#"{"decision":"true"}"#.to_owned()),
        Behaviour::Send(failed.to_string()),
    ] {
        pdp.behave(behaviour);
        for path in ["/documents", "/documents/d1"] {
            let (status, fields, body) = ask(&pdp, path).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert!(fields.contains(r#""retry-after": "5""#), "{fields}");
            assert!(
                !body.contains("d1d3") && !body.contains("decision"),
                "{body}"
            );
        }
    }
    pdp.stop();
    assert_eq!(
        ask(&pdp, "/documents").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
}
