//! A notes service for browsers: run `cargo run --example browser_app` and open the printed page,
//! or run `cargo run --example browser_app -- --tour`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use auth_examples::Visit::{ElsewhereForm, Form, Page, Script};
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{PasswordHashes, Sessions};
use auth_runtime::{
    Caller, ClientAddress, Guard, GuardedRouter, Identity, ProtectionSpace, ReturnPath, public,
    requires,
};
use axum::Json;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use tower_http::csrf::CsrfLayer;
use tower_sessions::cookie::{SameSite, time::Duration};
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Browsers prevent other hosts from setting a cookie with this prefix.
const COOKIE: &str = "__Host-session";

#[derive(Clone)]
struct App {
    users: PasswordHashes,
    /// By their owners.
    notes: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
}

#[public(reason = "callers log in here")]
async fn login_page() -> Html<&'static str> {
    Html(LOGIN_PAGE)
}

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
}

#[derive(Deserialize)]
struct WayBack {
    #[serde(default)]
    next: String,
}

#[public(reason = "callers log in here")]
async fn log_in(
    State(app): State<App>,
    request: Parts,
    session: Session,
    Query(WayBack { next }): Query<WayBack>,
    axum::Form(Login { name, password }): axum::Form<Login>,
) -> Response {
    // Without a proxy, the client is the peer. Behind a proxy, determine the client in the same way
    // as the space.
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| *peer);
    let client = ClientAddress::socket().of(peer, &request.headers);
    let identity = match app.users.authenticate(name, password, client).await {
        Caller::Known(identity) => identity,
        Caller::Unverifiable { .. } => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        // A 401 needs a challenge, and a form is none.
        _ => return (StatusCode::UNPROCESSABLE_ENTITY, Html(LOGIN_PAGE)).into_response(),
    };
    if Sessions::log_in(&session, &identity).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let next = ReturnPath::new(&next);
    Redirect::to(next.as_ref().map_or("/", ReturnPath::as_str)).into_response()
}

#[requires(authenticated)]
async fn log_out(session: Session) -> Response {
    match session.flush().await {
        Ok(()) => Redirect::to("/login").into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[requires(authenticated)]
async fn front() -> Html<&'static str> {
    Html(FRONT_PAGE)
}

#[requires(authenticated)]
async fn notes(guard: Guard, State(app): State<App>) -> Json<Vec<String>> {
    let notes = app.notes.lock().unwrap_or_else(PoisonError::into_inner);
    let own = notes.get(guard.identity().subject());
    Json(own.cloned().unwrap_or_default())
}

#[requires(authenticated)]
async fn add_note(guard: Guard, State(app): State<App>, note: String) -> StatusCode {
    let mut notes = app.notes.lock().unwrap_or_else(PoisonError::into_inner);
    let own = notes.entry(guard.identity().subject().to_owned());
    own.or_default().push(note);
    StatusCode::CREATED
}

/// An irreversible action requires a recent login. After that, a page navigation is redirected to
/// the login page, but a submitted form would be lost.
#[requires(max_age = "1m")]
async fn confirm_deletion() -> Html<&'static str> {
    Html(DELETION_PAGE)
}

#[requires(max_age = "1m")]
async fn delete_all(guard: Guard, State(app): State<App>) -> Redirect {
    let mut notes = app.notes.lock().unwrap_or_else(PoisonError::into_inner);
    notes.remove(guard.identity().subject());
    Redirect::to("/")
}

/// Callers without the role receive the response of an unknown path.
#[requires(role = "admin", hide_as = 404)]
async fn admin(State(app): State<App>) -> Html<String> {
    let notes = app.notes.lock().unwrap_or_else(PoisonError::into_inner);
    let count: usize = notes.values().map(Vec::len).sum();
    Html(format!(
        "<!doctype html><title>admin</title><p>{count} notes"
    ))
}

const LOGIN_PAGE: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>log in</title>
<form method="post">
<label>Name <input name="name" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>
"#;

const DELETION_PAGE: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>delete all</title>
<form method="post"><button>Delete all notes</button></form>
"#;

/// The script of the page inserts notes as text, so that they cannot contain markup.
const FRONT_PAGE: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>notes</title>
<ul id="notes"></ul>
<form id="add"><input id="note" required> <button>Add</button></form>
<p><a href="/notes/delete">Delete all</a></p>
<form method="post" action="/logout"><button id="logout">Log out</button></form>
<script type="module">
async function call(init) {
  const response = await fetch('/api/notes', init)
  if (response.status === 401) location = '/login?next=' + encodeURIComponent(location.pathname)
  return response
}
async function show() {
  const response = await call()
  if (!response.ok) return
  const items = (await response.json()).map(text => {
    const item = document.createElement('li')
    item.textContent = text
    return item
  })
  document.getElementById('notes').replaceChildren(...items)
}
document.getElementById('add').addEventListener('submit', async event => {
  event.preventDefault()
  const note = document.getElementById('note')
  const response = await call({ method: 'POST', body: note.value })
  if (!response.ok) return
  note.value = ''
  await show()
})
await show()
</script>
"#;

/// The steps of the tour, with the expected responses.
const TOUR: &[(&str, auth_examples::Visit, &str, &str)] = &[
    ("ann", Page, "/", "303 to /login?next=%2F"),
    ("ann", Script, "/api/notes", "401 Cookie realm=\"notes\""),
    ("ann", Page, "/admin", "404"),
    ("ann", Page, "/login?next=%2F", "200"),
    (
        "ann",
        Form("name=ann&password=wrong"),
        "/login?next=%2F",
        "422",
    ),
    (
        "ann",
        Form("name=ann&password=secret"),
        "/login?next=%2F",
        "303 to /",
    ),
    ("ann", Page, "/", "200"),
    ("ann", Script, "/api/notes", "200"),
    ("ann", Page, "/admin", "404"),
    (
        "ann",
        ElsewhereForm(""),
        "/logout",
        "401 Cookie realm=\"notes\"",
    ),
    (
        "ann",
        ElsewhereForm("name=eve&password=secret"),
        "/login",
        "403",
    ),
    (
        "ada",
        Form("name=ada&password=secret"),
        "/login?next=//evil.example",
        "303 to /",
    ),
    ("ada", Page, "/admin", "200"),
    ("ada", Form(""), "/notes/delete", "303 to /"),
    ("ann", Form(""), "/logout", "303 to /login"),
    ("ann", Page, "/", "303 to /login?next=%2F"),
];

#[tokio::main]
async fn main() -> Result<()> {
    let password = auth_examples::hash("secret")?;
    let users = PasswordHashes::builder()
        .user("ann", &password, Identity::new("ann"))
        .user("ada", &password, Identity::new("ada").with_roles(["admin"]))
        .build()?;
    // For one process and for tests: it keeps expired sessions. A service has a store in a database, and deletes expired
    // sessions.
    let store = MemoryStore::default();
    let sessions = Sessions::builder().cookie(COOKIE).login_page("/login");
    let sessions = sessions.build()?;
    let cookies = sessions.cookie_layer(store.clone());
    let space = ProtectionSpace::builder()
        .realm("notes")
        .scheme(sessions)
        .build()?;
    // The scheme protects guarded handlers. This layer protects the public login form from other
    // sites.
    let login = get(login_page).post(log_in).layer(CsrfLayer::new());
    let app = GuardedRouter::new()
        .route("/", get(front))
        .route("/login", login)
        .route("/logout", post(log_out))
        .route("/api/notes", get(notes).post(add_note))
        .route("/notes/delete", get(confirm_deletion).post(delete_all))
        .route("/admin", get(admin))
        .with_state(App {
            users,
            notes: Arc::default(),
        })
        .protect(space)?;
    let sessions = SessionManagerLayer::new(store)
        .with_name(COOKIE)
        .with_same_site(SameSite::Lax)
        // From the last change of the session: here, from the login.
        .with_expiry(Expiry::OnInactivity(Duration::hours(1)));
    let app = app.layer(sessions).layer(cookies);

    if auth_tour::is_tour() {
        return auth_examples::visit(app, TOUR).await;
    }
    let (listener, base) = auth_tour::listen().await?;
    println!("ann and ada have the password `secret`, and ada is admin: {base}/admin");
    println!("serving on {base}; Ctrl-C stops it");
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
