//! Questions and denials of closures and functions that take the guard of a unit struct.

use std::time::UNIX_EPOCH;

use auth_runtime::clock::ManualClock;
use auth_runtime::routing::{KnowsCaller, get};
use auth_runtime::{Denied, Guard, public, requires};
use auth_tests::App;
use axum::extract::Path;
use axum::{Extension, Router};

use super::*;

#[requires(authenticated)]
struct Readers;

#[requires(authenticated, hide_as = 404)]
struct HiddenReaders;

#[public(reason = "some notes are public", identity = optional)]
struct Visitors;

struct Note(String);

impl From<&Note> for Resource {
    fn from(note: &Note) -> Self {
        Self::new("Note", &note.0)
    }
}

/// The result of a handler with the guard of any unit struct that requires an identity.
type Shown = Result<String, Denied>;

async fn permitted<P: KnowsCaller>(guard: Guard<P>, Path(id): Path<String>) -> Shown {
    guard.permit(id == guard.identity().subject())?;
    Ok(id)
}

async fn allowed<P: KnowsCaller>(guard: Guard<P>, Path(id): Path<String>) -> Shown {
    guard.can(READ, Resource::new("Note", &id)).await?;
    Ok(id)
}

async fn loaded<P: KnowsCaller>(guard: Guard<P>, Path(id): Path<String>) -> Shown {
    Ok(guard.load(READ, Some(Note(id))).await?.0)
}

async fn listed<P: KnowsCaller>(guard: Guard<P>, Path(id): Path<String>) -> Shown {
    let notes = [id, "x-public".to_owned()].map(Note).into();
    let notes = guard.filter(READ, notes).await?;
    let ids: Vec<String> = notes.into_iter().map(|note| note.0).collect();
    Ok(ids.join(" "))
}

async fn seen(app: &impl App, request: Request) -> (u16, String) {
    let Ok(response) = app.clone().oneshot(request).await;
    (response.status().as_u16(), body(response).await)
}

fn guarded_app() -> ProtectedRouter {
    let routes = GuardedRouter::new()
        .route("/permit/{id}", get(permitted::<Readers>))
        .route("/can/{id}", get(allowed::<Readers>))
        .route("/load/{id}", get(loaded::<Readers>))
        .route("/list/{id}", get(listed::<Readers>))
        .route("/hidden/permit/{id}", get(permitted::<HiddenReaders>))
        .route("/hidden/can/{id}", get(allowed::<HiddenReaders>))
        .route(
            "/hidden/closure/{id}",
            get(async |guard: Guard<HiddenReaders>| guard.permit(false)),
        );
    protect(routes, &Engine::default())
}

fn plain_app() -> Router {
    let space = with(&Engine::default())
        .build()
        .expect("the space is in order");
    Router::new()
        .route("/permit/{id}", axum::routing::get(permitted::<Readers>))
        .route("/can/{id}", axum::routing::get(allowed::<Readers>))
        .route("/load/{id}", axum::routing::get(loaded::<Readers>))
        .route("/list/{id}", axum::routing::get(listed::<Readers>))
        .layer(Extension(space))
}

async fn assert_decided(app: &impl App) {
    for (caller, path, expected, text) in [
        ("ann", "/permit/ann", 200, Some("ann")),
        ("bob", "/permit/ann", 403, None),
        ("ann", "/can/ann%2F1", 200, Some("ann/1")),
        ("bob", "/can/ann%2F1", 403, None),
        ("ann", "/load/ann%2F1", 200, Some("ann/1")),
        ("bob", "/load/ann%2F1", 403, None),
        ("ann", "/list/ann%2F1", 200, Some("ann/1 x-public")),
        ("bob", "/list/ann%2F1", 200, Some("x-public")),
    ] {
        let (status, body) = seen(app, by(caller, path)).await;
        assert_eq!(status, expected, "{caller} {path}");
        if let Some(text) = text {
            assert_eq!(body, text, "{caller} {path}");
        }
    }
}

#[tokio::test]
async fn unit_struct_guards_decide_about_objects() {
    let app = guarded_app();
    assert_decided(&app).await;
    for (caller, path, expected) in [
        ("ann", "/hidden/permit/ann", 200),
        ("bob", "/hidden/permit/ann", 404),
        ("ann", "/hidden/can/ann%2F1", 200),
        ("bob", "/hidden/can/ann%2F1", 404),
        ("ann", "/hidden/closure/ann", 404),
    ] {
        assert_eq!(status(&app, by(caller, path)).await, expected, "{path}");
        if expected == 404 {
            assert_hidden(app.clone(), by(caller, path)).await;
        }
    }
}

#[tokio::test]
async fn plain_router_guards_decide_about_objects() {
    assert_decided(&plain_app()).await;
}

/// A caller without an identity may gain access by a login.
#[tokio::test]
async fn visitors_are_asked_to_log_in() {
    async fn note(guard: Guard<Visitors>) -> Result<&'static str, Denied> {
        guard.permit(guard.identity().is_some())?;
        Ok("a note")
    }

    let routes = GuardedRouter::new().route("/", get(note));
    let app = protect(routes, &Engine::default());
    assert_eq!(status(&app, request("/")).await, 401);
    assert_eq!(status(&app, by("ann", "/")).await, 200);
}

#[tokio::test]
async fn guards_expire_by_the_space_clock() {
    async fn ended(guard: Guard<Readers>) -> &'static str {
        guard.expires().await;
        "ended"
    }

    let time = ManualClock::new(UNIX_EPOCH + Duration::from_secs(1000));
    let space = space_builder().clock(time.clock()).build();
    let routes = GuardedRouter::new().route("/", get(ended));
    let app = routes.protect(space.expect("a space")).expect("the routes");
    // Expired by the system's clock, and valid for the clock of the space.
    let expiry = UNIX_EPOCH + Duration::from_secs(2000);
    let ann = Identity::new("ann").with_expiry(expiry);
    let response = send(&app, with_identity(request("/"), ann));
    let waited = tokio::time::timeout(Duration::from_millis(50), response).await;
    assert!(waited.is_err(), "the guard expired before its time");
}
