//! Browser sessions, with the layer of tower-sessions and a browser that keeps its cookie.

mod axum_login;
mod axum_session;
mod cookies;
mod login_page;
mod logins;
mod look_up;
mod other_sites;
mod settings;
mod several_cookies;
mod several_layers;
mod single_page;
mod store;
mod tower_sessions_0_15;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use auth_runtime::routing::post;
use auth_runtime::schemes::{SessionCookieLayer, Sessions, SessionsBuilder};
use auth_runtime::testing::assert_hidden;
use auth_runtime::{ReturnPath, UnknownPaths, public};
use auth_tests::{App, BoxedApp};
use axum::extract::Query;
use futures_util::future::BoxFuture;
use http::{Method, request};
use serde::Deserialize;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;
use tower_sessions::session_store::SessionStore;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use crate::schemes::*;

const COOKIE: &str = "Cookie realm=\"shop\"";
const NAME: &str = "__Host-session";

#[requires(authenticated)]
async fn account(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "admin", hide_as = 404)]
async fn hidden() -> &'static str {
    "the secret"
}

#[requires(scope = "read", permission = "users:read", amr = "otp")]
async fn everything() {}

#[requires(max_age = "5m")]
async fn fresh() {}

#[requires(acr = "urn:lab:mfa", max_age = "5m")]
async fn strong() {}

#[requires(authenticated, schemes(Bearer))]
async fn api(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(authenticated, schemes("Cookie"))]
async fn page(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(authenticated, network = "192.0.2.0/24")]
async fn elsewhere() {}

#[derive(Deserialize)]
struct Who {
    name: String,
    /// The age of the login, in seconds.
    ago: Option<u64>,
}

#[public(reason = "callers log in here")]
async fn log_in(session: Session, Query(who): Query<Who>) -> String {
    let identity = Identity::new(&who.name);
    let identity = match who.name.as_str() {
        "ada" => identity.with_roles(["admin"]),
        "all" => identity
            .with_scopes(["read"])
            .with_permissions(["users:read"])
            .with_amr(["otp"])
            .with_acr("urn:lab:mfa")
            .with_sender_constraint(),
        _ => identity,
    };
    let identity = match who.ago {
        Some(ago) => identity.with_auth_time(SystemTime::now() - Duration::from_secs(ago)),
        None => identity,
    };
    match Sessions::log_in(&session, &identity).await {
        Ok(()) => cart_of(&session).await,
        Err(error) => error.to_string(),
    }
}

#[requires(authenticated)]
async fn log_out(session: Session) {
    session.flush().await.expect("the store is there");
}

#[requires(authenticated)]
async fn promote(guard: Guard, session: Session) {
    let admin = guard.identity().clone().with_roles(["admin"]);
    let promoted = Sessions::log_in(&session, &admin).await;
    promoted.expect("the store is there");
}

#[public(reason = "anybody may fill a cart")]
async fn fill_cart(session: Session) {
    let filled = session.insert("cart", "a hat").await;
    filled.expect("the store is there");
}

async fn cart_of(session: &Session) -> String {
    let cart: Option<String> = session.get("cart").await.expect("the store is there");
    cart.unwrap_or_default()
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/account", get(account).post(account).put(account))
        .route("/hidden", get(hidden).post(hidden))
        .route("/everything", get(everything))
        .route("/fresh", get(fresh))
        .route("/strong", get(strong))
        .route("/known", get(known))
        .route("/elsewhere", get(elsewhere))
        .route("/login", get(log_in).post(log_in))
        .route("/logout", post(log_out))
        .route("/promote", post(promote))
        .route("/cart", post(fill_cart))
        .nest("/nested", GuardedRouter::new().route("/page", get(account)))
}

fn builder() -> SessionsBuilder {
    Sessions::builder().cookie(NAME)
}

fn shop(sessions: SessionsBuilder) -> auth_runtime::ProtectionSpaceBuilder {
    let sessions = sessions.build().expect("sessions");
    ProtectionSpace::builder().realm("shop").scheme(sessions)
}

fn layer<S: SessionStore>(store: S) -> SessionManagerLayer<S> {
    SessionManagerLayer::new(store).with_name(NAME)
}

fn cookies<S: SessionStore>(store: S) -> SessionCookieLayer<S> {
    builder().build().expect("sessions").cookie_layer(store)
}

fn serve(space: auth_runtime::ProtectionSpaceBuilder) -> Browser {
    let space = space.build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let store = MemoryStore::default();
    Browser::new(app.layer(layer(store.clone())).layer(cookies(store)))
}

/// The same with tokens as well, and a handler that accepts only tokens.
fn serve_with_tokens(sessions: SessionsBuilder, caller: Caller) -> Browser {
    let bearer = Bearer::new(move |_token| std::future::ready(caller.clone()));
    let space = shop(sessions).scheme(bearer).build();
    let app = routes().route("/api", get(api)).route("/page", get(page));
    let app = app.protect(space.expect("the space is in order"));
    let app = app.expect("every state is there");
    Browser::new(app.layer(layer(MemoryStore::default())))
}

/// A browser that keeps the cookie of the session.
struct Browser {
    app: BoxedApp,
    cookie: Option<String>,
}

impl Browser {
    fn new(app: impl App) -> Self {
        let app = BoxedApp::new(app);
        Self { app, cookie: None }
    }

    /// Returns the browser of another visitor.
    fn fresh(&self) -> Self {
        Self::new(self.app.clone())
    }

    async fn get(&mut self, target: &str) -> Response {
        self.send(Request::get(target)).await
    }

    async fn post(&mut self, target: &str) -> Response {
        self.send(Request::post(target)).await
    }

    async fn send(&mut self, request: request::Builder) -> Response {
        self.send_with(request, "").await
    }

    async fn send_with(&mut self, request: request::Builder, body: &'static str) -> Response {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", format!("{NAME}={cookie}")),
            None => request,
        };
        let request = request.body(Body::from(body)).expect("a request");
        let response = self.app.clone().oneshot(request).await.expect("infallible");
        for line in response.headers().get_all("set-cookie") {
            let line = line.to_str().expect("ASCII");
            let (pair, attributes) = line.split_once(';').expect("a cookie has attributes");
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            // axum_session has a second one, about the consent to sessions.
            if name == "store" {
                continue;
            }
            assert_eq!(name, NAME);
            // A browser requires these attributes for such a name.
            if !attributes.contains("Secure") || !attributes.contains("Path=/") {
                continue;
            }
            let is_removed = attributes.contains("Max-Age=0");
            self.cookie = (!is_removed).then(|| value.to_owned());
        }
        response
    }

    async fn logged_in(mut self, who: &str) -> Self {
        let response = self.post(&format!("/login?name={who}")).await;
        assert_eq!(response.status(), 200);
        self
    }
}

#[derive(Clone, Default)]
struct Failing {
    store: MemoryStore,
    fails: Arc<AtomicBool>,
    deletes_nothing: Arc<AtomicBool>,
    loads: Arc<AtomicUsize>,
}

impl fmt::Debug for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failing")
    }
}

impl Failing {
    fn check(&self) -> session_store::Result<()> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(session_store::Error::Backend("it is down".to_owned()));
        }
        Ok(())
    }
}

/// The expansion of a trait method by `async_trait`.
type Answer<'a, T> = BoxFuture<'a, session_store::Result<T>>;

impl SessionStore for Failing {
    fn create<'a, 'r: 'f, 'f>(&'a self, record: &'r mut Record) -> Answer<'f, ()>
    where
        'a: 'f,
    {
        Box::pin(async { self.store.create(record).await })
    }

    fn save<'a: 'f, 'r: 'f, 'f>(&'a self, record: &'r Record) -> Answer<'f, ()> {
        Box::pin(async { self.store.save(record).await })
    }

    fn load<'a: 'f, 'r: 'f, 'f>(&'a self, id: &'r Id) -> Answer<'f, Option<Record>> {
        Box::pin(async {
            self.loads.fetch_add(1, Ordering::Relaxed);
            self.check()?;
            self.store.load(id).await
        })
    }

    fn delete<'a: 'f, 'r: 'f, 'f>(&'a self, id: &'r Id) -> Answer<'f, ()> {
        Box::pin(async {
            if self.deletes_nothing.load(Ordering::Relaxed) {
                return Err(session_store::Error::Backend("it is read-only".to_owned()));
            }
            self.store.delete(id).await
        })
    }
}
