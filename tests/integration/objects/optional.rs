//! Questions about objects of handlers that callers without an identity reach too.

use std::net::SocketAddr;

use auth_runtime::routing::{AuthenticatesCaller, get};
use auth_runtime::{Denied, Guard, Rejection, public, requires};
use axum::extract::{ConnectInfo, Path};

use super::*;

struct Note(String);

impl Note {
    fn is_public(&self) -> bool {
        self.0.ends_with("-public")
    }
}

impl From<&Note> for Resource {
    fn from(note: &Note) -> Self {
        Self::new("Note", &note.0)
    }
}

fn find(id: String) -> Option<Note> {
    (!id.ends_with("missing")).then_some(Note(id))
}

/// Loads a note for the guard of any handler that authenticates.
async fn load<P: AuthenticatesCaller>(guard: &Guard<P>, id: String) -> Result<Note, Denied> {
    match find(id) {
        Some(note) if note.is_public() => Ok(note),
        note => guard.load(READ, note).await,
    }
}

#[public(reason = "some notes are public", identity = optional)]
async fn loaded(guard: Guard, Path(id): Path<String>) -> Result<String, Denied> {
    Ok(load(&guard, id).await?.0)
}

#[public(reason = "some notes are public", identity = optional)]
async fn asked(guard: Guard, Path(id): Path<String>) -> Result<String, Denied> {
    let note = Note(id);
    if !note.is_public() {
        guard.can(READ, &note).await?;
    }
    Ok(note.0)
}

#[requires(any(network = "10.0.0.0/8", authenticated), hide_as = 404)]
async fn hidden(guard: Guard, Path(id): Path<String>) -> Result<String, Denied> {
    let note = load(&guard, id).await?;
    guard.can(READ, &note).await?;
    Ok(note.0)
}

fn app(engine: &Engine) -> ProtectedRouter {
    let routes = GuardedRouter::new()
        .route("/loaded/{id}", get(loaded))
        .route("/asked/{id}", get(asked))
        .route("/hidden/{id}", get(hidden));
    protect(routes, engine)
}

fn in_network(mut request: Request) -> Request {
    let peer = SocketAddr::from(([10, 1, 1, 1], 443));
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

#[tokio::test]
async fn callers_without_identity_are_denied_unasked() {
    let engine = Engine::default();
    let app = app(&engine);
    for (path, expected) in [
        ("/loaded/x-public", 200),
        ("/loaded/ann%2F1", 401),
        // Without a login, a missing object is like a denied one.
        ("/loaded/missing", 401),
        ("/asked/x-public", 200),
        ("/asked/ann%2F1", 401),
        ("/hidden/ann%2F1", 404),
        ("/hidden/missing", 404),
        // The handler asks about each note.
        ("/hidden/x-public", 404),
    ] {
        let response = send(&app, in_network(request(path))).await;
        assert_eq!(response.status(), expected, "{path}");
        let challenges = response.headers().get_all("www-authenticate");
        let challenges: Vec<_> = challenges.iter().collect();
        let bearer: &[&str] = if expected == 401 {
            &[r#"Bearer realm="api""#]
        } else {
            &[]
        };
        assert_eq!(challenges, bearer, "{path}");
    }
    for path in ["/hidden/ann%2F1", "/hidden/missing"] {
        assert_hidden(app.clone(), in_network(request(path))).await;
    }
    assert!(engine.calls().is_empty(), "{:?}", engine.calls());
}

#[tokio::test]
async fn engine_grants_or_denies_known_callers() {
    let app = app(&Engine::default());
    for (caller, path, expected) in [
        ("ann", "/loaded/ann%2F1", 200),
        ("bob", "/loaded/ann%2F1", 403),
        ("bob", "/loaded/x-public", 200),
        ("bob", "/loaded/missing", 404),
        ("ann", "/asked/ann%2F1", 200),
        ("bob", "/asked/ann%2F1", 403),
        ("ann", "/hidden/ann%2F1", 200),
        ("bob", "/hidden/ann%2F1", 404),
        ("bob", "/hidden/x-public", 200),
        ("bob", "/hidden/missing", 404),
    ] {
        let seen = status(&app, by(caller, path)).await;
        assert_eq!(seen, expected, "{caller} {path}");
    }
    assert_hidden(app.clone(), by("bob", "/hidden/ann%2F1")).await;
}

/// A caller in the network with other credentials: rules 2 and 4.
#[tokio::test]
async fn rejected_callers_are_denied_as_such() {
    let engine = Engine::default();
    let app = app(&engine);
    for (caller, expected) in [
        (Caller::Rejected(Rejection::Expired), 401),
        (Caller::unverifiable(), 503),
    ] {
        for id in ["ann%2F1", "missing"] {
            let request = in_network(request(&format!("/hidden/{id}")));
            let seen = status(&app, with_caller(request, caller.clone())).await;
            assert_eq!(seen, expected, "{caller:?} {id}");
        }
    }
    assert!(engine.calls().is_empty(), "{:?}", engine.calls());
}
