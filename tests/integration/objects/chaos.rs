//! An engine that is slow, hangs, fails, panics or returns another number of decisions, behind a deadline:
//! no wrong grant, 503 with `Retry-After`, and hidden routes like unknown ones.

use std::future::pending;

use auth_runtime::objects::{DecisionCache, DecisionDeadline, PermittedFuture};
use auth_runtime::routing::get;
use auth_runtime::{Denied, Guard, requires};
use http::HeaderMap;

use super::*;

/// The number of times that tasks are polled before the deadline.
const DEADLINE: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Behaviour {
    Decides,
    /// Decides before the deadline.
    IsSlow,
    /// Would decide after the deadline.
    IsLate,
    Hangs,
    Fails,
    ReturnsNothing,
    /// Allows everything, and one question more.
    ReturnsTooMany,
    Panics,
    PanicsLater,
}

use Behaviour::*;

const ALL: [Behaviour; 9] = [
    Decides,
    IsSlow,
    IsLate,
    Hangs,
    Fails,
    ReturnsNothing,
    ReturnsTooMany,
    Panics,
    PanicsLater,
];

#[derive(Clone)]
struct Chaotic(Arc<Mutex<Behaviour>>);

async fn polls(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// Unwinds without the message of a panic.
fn panics() -> ! {
    std::panic::resume_unwind(Box::new("chaos"))
}

impl Chaotic {
    fn behaviour(&self) -> Behaviour {
        *self.0.lock().expect("no panic while it is held")
    }

    fn set(&self, behaviour: Behaviour) {
        *self.0.lock().expect("no panic while it is held") = behaviour;
    }
}

impl DecisionPoint for Chaotic {
    fn name(&self) -> &'static str {
        "chaos"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let behaviour = self.behaviour();
        if behaviour == Panics {
            panics();
        }
        Box::pin(async move {
            let asked = request.evaluations.len();
            match behaviour {
                Decides | Panics => {}
                IsSlow => polls(DEADLINE / 2).await,
                IsLate => polls(DEADLINE * 2).await,
                Hangs => pending().await,
                Fails => return Err(DecisionPointError::new("down")),
                ReturnsNothing => return Ok(Vec::new()),
                ReturnsTooMany => return Ok(vec![ObjectDecision::allow(); asked + 1]),
                PanicsLater => {
                    polls(1).await;
                    panics()
                }
            }
            let subject = request.identity.subject();
            let decisions = request.evaluations.iter();
            Ok(decisions
                .map(|evaluation| ObjectDecision::from(decide(subject, evaluation)))
                .collect())
        })
    }

    fn permitted<'r>(
        &'r self,
        _: &'r str,
        _: &'r str,
        _: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        Box::pin(pending())
    }
}

fn in_time(engine: Chaotic) -> DecisionDeadline<Chaotic> {
    // A timer that counts polls, so that the test does not depend on the speed of the machine.
    DecisionDeadline::new(engine, Duration::from_secs(2), |_| polls(DEADLINE))
}

#[requires(can = "update", on = "Repository::{repo}")]
async fn shown() -> &'static str {
    "updated"
}

#[requires(can = "update", on = "Repository::{repo}", hide_as = 404)]
async fn hidden() -> &'static str {
    "updated"
}

#[requires(authenticated)]
async fn by_guard(guard: Guard) -> Result<&'static str, Denied> {
    guard
        .can(UPDATE, Resource::new("Repository", "ann"))
        .await?;
    Ok("updated")
}

#[requires(authenticated, hide_as = 404)]
async fn by_hidden_guard(guard: Guard) -> Result<&'static str, Denied> {
    guard
        .can(UPDATE, Resource::new("Repository", "ann"))
        .await?;
    Ok("updated")
}

fn app(engine: impl DecisionPoint) -> ProtectedRouter {
    let space = space_builder().decision_point(engine);
    let routes = GuardedRouter::new()
        .route("/shown/{repo}", get(shown))
        .route("/hidden/{repo}", get(hidden))
        .route("/guard", get(by_guard))
        .route("/hidden-guard", get(by_hidden_guard));
    let space = space.build().expect("the space is in order");
    routes.protect(space).expect("the routes are in order")
}

type Whole = (StatusCode, HeaderMap, String);

async fn whole(response: Response) -> Whole {
    let (status, fields) = (response.status(), response.headers().clone());
    (status, fields, body(response).await)
}

/// The response; `None` if the request panicked.
async fn response(app: &ProtectedRouter, subject: &str, target: &str) -> Option<Whole> {
    let (app, request) = (app.clone(), by(subject, target));
    let sent = tokio::spawn(async move { send(&app, request).await });
    Some(whole(sent.await.ok()?).await)
}

/// The statuses of visible routes for `ann`, who may update, and for `bob`.
fn expected(behaviour: Behaviour) -> Option<(u16, u16)> {
    match behaviour {
        Decides | IsSlow => Some((200, 403)),
        Panics | PanicsLater => None,
        _ => Some((503, 503)),
    }
}

async fn check(app: &ProtectedRouter, behaviour: Behaviour) {
    let unknown = response(app, "bob", "/unknown").await.expect("a response");
    for (subject, is_allowed) in [("ann", true), ("bob", false)] {
        let status = expected(behaviour).map(|(ann, bob)| if is_allowed { ann } else { bob });
        for target in ["/shown/ann", "/guard"] {
            let found = response(app, subject, target).await;
            let found_status = found.as_ref().map(|(status, ..)| status.as_u16());
            assert_eq!(found_status, status, "{subject} {target}, {behaviour:?}");
            if let Some((StatusCode::SERVICE_UNAVAILABLE, fields, _)) = found {
                assert!(
                    fields.contains_key("retry-after"),
                    "{target}, {behaviour:?}"
                );
                assert!(!fields.contains_key("www-authenticate"));
            }
        }
        for target in ["/hidden/ann", "/hidden-guard"] {
            let found = response(app, subject, target).await;
            match status {
                None => assert_eq!(found, None, "{target}, {behaviour:?}"),
                Some(200) => assert_eq!(found.expect("a response").0, 200, "{target}"),
                Some(_) => {
                    let found = found.expect("a response");
                    assert_eq!(found, unknown, "{subject} {target}, {behaviour:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn failure_is_503_for_one_request() {
    let engine = Chaotic(Arc::new(Mutex::new(Decides)));
    let app = app(in_time(engine.clone()));
    for behaviour in ALL {
        engine.set(behaviour);
        check(&app, behaviour).await;
        engine.set(Decides);
        check(&app, Decides).await;
    }
}

#[tokio::test]
async fn random_failures_never_grant() {
    let engine = Chaotic(Arc::new(Mutex::new(Decides)));
    let app = app(in_time(engine.clone()));
    let mut state = 1_u32;
    for _ in 0..300 {
        // The generator of `rand()` in ISO C.
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12345);
        let behaviour = ALL[usize::try_from(state >> 16).expect("16 bits") % ALL.len()];
        engine.set(behaviour);
        check(&app, behaviour).await;
    }
}

#[tokio::test]
async fn remembered_decisions_outlast_failures() {
    let engine = Chaotic(Arc::new(Mutex::new(Decides)));
    let cache = DecisionCache::builder(in_time(engine.clone()));
    let app = app(cache.build().expect("valid settings"));
    assert_eq!(status(&app, by("ann", "/shown/ann")).await, 200);
    assert_eq!(status(&app, by("bob", "/shown/ann")).await, 403);
    for behaviour in ALL {
        engine.set(behaviour);
        assert_eq!(status(&app, by("ann", "/shown/ann")).await, 200);
        assert_eq!(status(&app, by("bob", "/shown/ann")).await, 403);
        if expected(behaviour) == Some((503, 503)) {
            let others = status(&app, by("cat", "/shown/ann")).await;
            assert_eq!(others, 503, "{behaviour:?}");
        }
    }
}

#[tokio::test]
async fn lists_have_the_deadline_too() {
    let engine = in_time(Chaotic(Arc::new(Mutex::new(Decides))));
    let ann = Identity::new("ann");
    let request = EvaluationRequest::new(&ann, &[]);
    let permitted = tokio::select! {
        biased;
        permitted = engine.permitted("read", "Repository", request) => permitted,
        () = polls(DEADLINE * 2) => panic!("no deadline"),
    };
    let error = permitted.expect_err("the engine hangs");
    assert_eq!(error.to_string(), "no decision within 2s");
    assert_eq!(engine.name(), "chaos");
}

#[tokio::test]
async fn the_timer_of_the_runtime_fits() {
    let hanging = Chaotic(Arc::new(Mutex::new(Hangs)));
    let time = Duration::from_millis(5);
    let app = app(DecisionDeadline::new(hanging, time, tokio::time::sleep));
    assert_eq!(status(&app, by("ann", "/shown/ann")).await, 503);
}
