//! Decisions about objects by the decision point of a space: in policies and through guards.

mod agreed;
mod all;
mod cache;
mod chaos;
mod debug;
mod entities;
mod functions;
mod guards;
mod lists;
mod logins;
mod mistakes;
mod optional;
mod outages;
mod patterns;
mod policies;
mod records;
mod unit_structs;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::objects::{
    Action, DecisionPoint, DecisionPointError, Evaluation, EvaluationFuture, EvaluationRequest,
    ObjectDecision, Resource,
};
use auth_runtime::testing::{assert_hidden, with_caller, with_identity};
use auth_runtime::{Caller, GuardedRouter, Identity, ProtectedRouter, ProtectionSpaceBuilder};
use auth_tests::space_builder;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use tower::ServiceExt;

const READ: Action = Action::new("read");
const UPDATE: Action = Action::new("update");

/// Decides by the names of the caller and of the object, and keeps the questions.
///
/// `ann` may do everything with the objects below `ann/`. Everybody may read objects whose id ends with
/// `-public`.
#[derive(Clone, Default)]
struct Engine {
    calls: Arc<Mutex<Vec<Vec<Evaluation>>>>,
    failure: Option<DecisionPointError>,
}

impl Engine {
    fn failing(error: DecisionPointError) -> Self {
        Self {
            failure: Some(error),
            ..Self::default()
        }
    }

    /// The questions of each call, as text.
    fn calls(&self) -> Vec<Vec<String>> {
        let calls = self.calls.lock().expect("no panic");
        let text = |one: &Evaluation| format!("{} {}", one.action, one.resource);
        calls
            .iter()
            .map(|call| call.iter().map(text).collect())
            .collect()
    }
}

fn decide(subject: &str, evaluation: &Evaluation) -> bool {
    let id = evaluation.resource.id();
    let is_public = id.ends_with("-public") && evaluation.action == "read";
    let is_own = id.split('/').next() == Some(subject);
    is_public || is_own
}

impl DecisionPoint for Engine {
    fn name(&self) -> &'static str {
        "names"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let evaluations = request.evaluations.to_vec();
        self.calls.lock().expect("no panic").push(evaluations);
        Box::pin(async move {
            tokio::task::yield_now().await;
            if let Some(error) = &self.failure {
                return Err(error.clone());
            }
            let subject = request.identity.subject();
            let decisions = request.evaluations.iter().map(|evaluation| {
                let decision = ObjectDecision::from(decide(subject, evaluation));
                decision.by_policy("by name")
            });
            Ok(decisions.collect())
        })
    }
}

fn with(engine: &Engine) -> ProtectionSpaceBuilder {
    space_builder().decision_point(engine.clone())
}

fn protect(routes: GuardedRouter, engine: &Engine) -> ProtectedRouter {
    let space = with(engine).build().expect("the space is in order");
    routes.protect(space).expect("the routes are in order")
}

fn request(target: &str) -> Request {
    Request::get(target).body(Body::empty()).expect("a request")
}

fn by(subject: &str, target: &str) -> Request {
    let identity = Identity::new(subject).with_scopes(["repo"]);
    with_identity(request(target), identity)
}

async fn send(app: &ProtectedRouter, request: Request) -> Response {
    let Ok(response) = app.clone().oneshot(request).await;
    response
}

async fn status(app: &ProtectedRouter, request: Request) -> u16 {
    send(app, request).await.status().as_u16()
}

async fn body(response: Response) -> String {
    let body = to_bytes(response.into_body(), usize::MAX).await;
    String::from_utf8(body.expect("a body").to_vec()).expect("UTF-8")
}
