//! Browser sessions, with the layer of tower-sessions and a browser that keeps its cookie.

mod axum_login;
mod login_page;
mod other_sites;
mod several_cookies;
mod several_layers;
mod single_page;

use auth_tests::{App, BoxedApp};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use auth_runtime::routing::post;
use auth_runtime::schemes::{SessionCookieLayer, Sessions, SessionsBuilder, SessionsError};
use auth_runtime::testing::assert_hidden;
use auth_runtime::{ReturnPath, UnknownPaths, public};
use axum::extract::Query;
use futures_util::future::BoxFuture;
use http::{Method, request};
use serde::Deserialize;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};

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

#[public(reason = "whoever logs in is not logged in yet")]
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

#[tokio::test]
async fn a_session_lets_in_whom_it_logged_in_until_they_log_out() {
    let mut ann = serve(shop(builder()));
    let denied = ann.get("/account").await;
    assert_eq!(denied.status(), 401);
    assert_eq!(challenges(&denied), [COOKIE]);
    assert_eq!(denied.headers()["cache-control"], "no-store");

    let mut ann = ann.logged_in("ann").await;
    let granted = ann.get("/account").await;
    assert_eq!(granted.status(), 200);
    // A cache does not know that a cookie was evaluated.
    assert_eq!(granted.headers()["cache-control"], "private");
    assert_eq!(text(granted).await, "ann");
    let forbidden = ann.get("/elsewhere").await;
    assert_eq!(forbidden.status(), 403);
    assert_eq!(challenges(&forbidden), [""; 0]);

    let stolen = ann.cookie.clone();
    assert_eq!(ann.post("/logout").await.status(), 200);
    ann.cookie = stolen;
    let denied = ann.get("/account").await;
    assert_eq!(denied.status(), 401, "the server has forgotten it");
    assert_eq!(challenges(&denied), [COOKIE]);
    assert_eq!(ann.cookie, None, "and the browser does");
}

#[tokio::test]
async fn a_session_keeps_all_that_was_granted_but_a_bond_to_a_key() {
    let mut all = serve(shop(builder())).logged_in("all").await;
    assert_eq!(all.get("/everything").await.status(), 200);
    assert_eq!(all.get("/strong").await.status(), 200);
    let told = text(all.get("/known").await).await;
    assert!(told.contains("sender_constrained: false"), "{told}");
    let mut ann = all.fresh().logged_in("ann").await;
    assert_eq!(ann.get("/everything").await.status(), 403);
}

#[tokio::test]
async fn nobody_gets_in_with_an_id_that_was_known_before_the_login() {
    let mut ann = serve(shop(builder()));
    ann.post("/cart").await;
    let mut mallory = ann.fresh();
    mallory.cookie = ann.cookie.clone();
    assert!(mallory.cookie.is_some());
    let ann = ann.logged_in("ann").await;
    assert_ne!(mallory.cookie, ann.cookie);
    assert_eq!(mallory.get("/account").await.status(), 401);
}

#[tokio::test]
async fn an_id_of_ones_own_making_is_not_taken_up() {
    let mut ann = serve(shop(builder()));
    let planted = Some(Id(4711).to_string());
    ann.cookie = planted.clone();
    let ann = ann.logged_in("ann").await;
    assert!(ann.cookie.is_some() && ann.cookie != planted);
}

#[tokio::test]
async fn the_id_changes_with_what_its_owner_may_do() {
    let mut ann = serve(shop(builder())).logged_in("ann").await;
    let before = ann.cookie.clone();
    assert_eq!(ann.get("/hidden").await.status(), 404);
    assert_eq!(ann.post("/promote").await.status(), 200);
    assert_ne!(ann.cookie, before);
    assert_eq!(ann.get("/hidden").await.status(), 200);
    ann.cookie = before;
    assert_eq!(ann.get("/account").await.status(), 401);
}

#[tokio::test]
async fn what_a_session_holds_is_kept_for_its_owner_only() {
    let mut ann = serve(shop(builder()));
    ann.post("/cart").await;
    assert_eq!(text(ann.post("/login?name=ann").await).await, "a hat");
    assert_eq!(text(ann.post("/login?name=ann").await).await, "a hat");
    let before = ann.cookie.clone();
    assert_eq!(text(ann.post("/login?name=bob").await).await, "");
    assert_ne!(ann.cookie, before);
    assert_eq!(text(ann.get("/account").await).await, "bob");
}

#[tokio::test]
async fn users_of_one_name_and_two_issuers_are_two_users() {
    let session = Session::new(None, Arc::new(MemoryStore::default()), None);
    let cart = async || {
        session
            .get::<String>("cart")
            .await
            .expect("the store is there")
    };
    let ann_of = |issuer: &str| Identity::new("ann").with_issuer(issuer);
    for (identity, kept) in [
        (ann_of("https://a.example"), false),
        (ann_of("https://a.example"), true),
        (ann_of("https://b.example"), false),
        (Identity::new("ann"), false),
    ] {
        let logged_in = Sessions::log_in(&session, &identity).await;
        logged_in.expect("the store is there");
        assert_eq!(cart().await.is_some(), kept, "{identity:?}");
        let filled = session.insert("cart", "a hat").await;
        filled.expect("the store is there");
    }
}

#[tokio::test]
async fn a_live_session_without_a_login_is_nobodys() {
    let mut guest = serve(shop(builder()));
    guest.post("/cart").await;
    let cookie = guest.cookie.clone();
    assert!(cookie.is_some());
    assert_eq!(guest.get("/account").await.status(), 401);
    // The cookie does not count as ended: an unknown path stays unknown, and the session is kept.
    assert_eq!(guest.get("/nowhere").await.status(), 404);
    assert_eq!(guest.cookie, cookie);
}

#[tokio::test]
async fn a_cookie_of_no_live_session_is_told_once_on_hidden_and_unknown_paths_alike() {
    let ann = serve(shop(builder()));
    let stale = Id(4711).to_string();
    for target in ["/hidden", "/nowhere", "/account"] {
        for value in [stale.as_str(), "no-id", "", "%00"] {
            let mut ann = ann.fresh();
            ann.cookie = Some(value.to_owned());
            let denied = ann.get(target).await;
            assert_eq!(denied.status(), 401, "{target} {value}");
            assert_eq!(challenges(&denied), [COOKIE], "{target} {value}");
        }
    }
    let mut ann = ann.fresh();
    ann.cookie = Some(stale.clone());
    ann.get("/nowhere").await;
    assert_eq!(ann.cookie, None);
    assert_eq!(ann.get("/nowhere").await.status(), 404);
    let request = Request::get("/hidden").header("cookie", format!("{NAME}={stale}"));
    assert_hidden(
        ann.app.clone(),
        request.body(Body::empty()).expect("a request"),
    )
    .await;
    assert_hidden(
        ann.app.clone(),
        Request::get("/hidden")
            .body(Body::empty())
            .expect("a request"),
    )
    .await;
}

#[tokio::test]
async fn a_session_ends_when_the_layer_says_so() {
    use tower_sessions::cookie::time;
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let expiry = Expiry::OnInactivity(time::Duration::hours(1));
    let store = MemoryStore::default();
    let layer = layer(store.clone()).with_expiry(expiry);
    let mut ann = Browser::new(app.layer(layer)).logged_in("ann").await;
    assert_eq!(ann.get("/account").await.status(), 200);
    let id = ann.cookie.as_deref().expect("a cookie").parse();
    let id: Id = id.expect("the id of a session");
    let kept = store.load(&id).await.expect("a store");
    let mut record = kept.expect("a session");
    record.expiry_date -= time::Duration::hours(1);
    store.save(&record).await.expect("a store");
    assert_eq!(ann.get("/account").await.status(), 401);
}

#[tokio::test]
async fn cookies_are_read_strictly() {
    let ann = serve(shop(builder())).logged_in("ann").await;
    let good = format!("{NAME}={}", ann.cookie.as_deref().expect("a cookie"));
    let cookies = |lines: &[&str]| -> Lines {
        let lines = lines
            .iter()
            .map(|line| ("cookie", line.as_bytes().to_vec()));
        lines.collect()
    };
    let upper = good.replace("__Host-session", "__HOST-SESSION");
    let encoded = good.replace("__Host-session", "%5F%5FHost-session");
    let long = format!("{NAME}={}", "a".repeat(17 << 10));
    let row = |name, lines: &[&str], status| {
        row(
            name,
            cookies(lines),
            status,
            if status == 401 { &[COOKIE] } else { &[] },
        )
    };
    let among_others = format!("a=b; {good}; __Host-session2=c; c");
    let with_tabs = format!("a=b;\t{good}\t;");
    let twice = format!("{good}; {good}");
    let twice_encoded = format!("{good}; {encoded}");
    let quoted = good.replace('=', "=\"") + "\"";
    // For a browser, the name lacks the prefix `__Host-`. The cookie parser of the session layer
    // trims the name.
    let [wide, narrow, no_break, line] =
        ["\u{2003}", "\u{2009}", "\u{a0}", "\u{85}"].map(|space| format!("{space}{good}"));
    let wide_behind = good.replace('=', "\u{2003}=");
    let wide_twice = format!("{good}; {wide}");
    check(
        &ann.app,
        "/account",
        vec![
            row("good", &[&good], 200),
            row("among others", &[&among_others], 200),
            row("with tabs", &[&with_tabs], 200),
            row("on several lines", &["a=b", &good, "c=d"], 200),
            row("only others", &["a=b; session=x"], 401),
            row("in another case", &[&upper], 401),
            row("without a value", &["__Host-session"], 401),
            row("empty", &["__Host-session="], 401),
            row("too long", &[&long], 401),
            row("quoted", &[&quoted], 401),
            row("twice", &[&twice], 200),
            row("twice, on two lines", &[&good, &good], 200),
            row("the name in another spelling", &[&encoded], 401),
            row("twice, once in another spelling", &[&twice_encoded], 200),
            row("behind a wide space", &[&wide], 401),
            row("behind a narrow space", &[&narrow], 401),
            row("behind a space that does not break", &[&no_break], 401),
            row("behind a line break", &[&line], 401),
            row("with a wide space behind the name", &[&wide_behind], 401),
            row("twice, once behind a wide space", &[&wide_twice], 200),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_cookie_beside_a_token_is_ignored() {
    let verified = async |good: bool| {
        let job = match good {
            true => Caller::known(Identity::new("job")),
            false => Caller::rejected(),
        };
        serve_with_tokens(builder(), job).logged_in("ann").await
    };
    let cookie = |value: &str| ("cookie", format!("{NAME}={value}").into_bytes());
    let ended = cookie(&Id(4711).to_string());
    // Of a token, a live session and an ended one: the expected caller on each path, or the status.
    for (good, target, token, live, dead) in [
        (true, "/account", "job", "ann", "401"),
        (true, "/api", "job", "401", "401"),
        (true, "/page", "401", "ann", "401"),
        (false, "/account", "401", "ann", "401"),
        (false, "/api", "401", "401", "401"),
        (false, "/page", "401", "ann", "401"),
    ] {
        let ann = verified(good).await;
        let session = cookie(ann.cookie.as_deref().expect("a cookie"));
        let beside =
            |cookie: &(&'static str, Vec<u8>)| [bearer("token"), vec![cookie.clone()]].concat();
        // The policy accepts the token, the cookie, or both.
        let (with_live, with_dead) = match target {
            "/page" => (live, dead),
            _ => (token, token),
        };
        for (name, lines, expected) in [
            ("the token", bearer("token"), token),
            ("the session", vec![session.clone()], live),
            ("the ended session", vec![ended.clone()], dead),
            ("token and session", beside(&session), with_live),
            ("token and ended session", beside(&ended), with_dead),
        ] {
            let response = send(&ann.app, target, &lines).await;
            let seen = match response.status() {
                StatusCode::OK => text(response).await,
                status => status.as_str().to_owned(),
            };
            assert_eq!(seen, expected, "{target}: {name}, good: {good}");
        }
    }
}

#[tokio::test]
async fn an_old_login_is_told_in_the_challenge() {
    let mut ann = serve(shop(builder()));
    ann.post("/login?name=ann&ago=299").await;
    assert_eq!(ann.get("/fresh").await.status(), 200);
    ann.post("/login?name=ann&ago=400").await;
    let denied = ann.get("/fresh").await;
    assert_eq!(denied.status(), 401);
    let error = "Cookie realm=\"shop\", error=\"insufficient_user_authentication\"";
    assert_eq!(challenges(&denied), [format!("{error}, max_age=\"300\"")]);
    let denied = ann.get("/strong").await;
    let strong = format!("{error}, acr_values=\"urn:lab:mfa\", max_age=\"300\"");
    assert_eq!(challenges(&denied), [strong]);
    // A change without a login does not reset its time.
    ann.post("/promote").await;
    assert_eq!(ann.get("/fresh").await.status(), 401);
}

#[tokio::test]
async fn a_session_is_asked_for_a_login_beside_tokens_too() {
    let mut ann = serve_with_tokens(builder(), Caller::rejected());
    ann.post("/login?name=ann&ago=400").await;
    let denied = ann.get("/fresh").await;
    assert!(challenges(&denied)[0].starts_with("Cookie realm=\"shop\", error=\"insufficient_user"));
}

#[tokio::test]
async fn without_the_layer_nobody_gets_in() {
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let mut ann = Browser::new(app);
    assert_eq!(ann.get("/account").await.status(), 401);
    ann.cookie = Some(Id(4711).to_string());
    for target in ["/account", "/hidden", "/nowhere"] {
        let response = ann.get(target).await;
        assert_eq!(response.status(), 503, "{target}");
    }
}

#[derive(Clone, Default)]
struct Failing {
    store: MemoryStore,
    fails: Arc<AtomicBool>,
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
        Box::pin(async { self.store.delete(id).await })
    }
}

#[tokio::test]
async fn while_the_store_is_down_nobody_is_told_to_log_in() {
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let store = Failing::default();
    let app = app.layer(layer(store.clone()));
    let mut ann = Browser::new(app).logged_in("ann").await;
    let cookie = ann.cookie.clone();
    store.fails.store(true, Ordering::Relaxed);
    for target in ["/account", "/hidden", "/nowhere"] {
        let response = ann.get(target).await;
        assert_eq!(response.status(), 503, "{target}");
        assert!(response.headers().contains_key("retry-after"));
    }
    assert_eq!(ann.cookie, cookie);
    store.fails.store(false, Ordering::Relaxed);
    assert_eq!(ann.get("/account").await.status(), 200);
}

#[tokio::test]
async fn a_service_says_itself_who_is_logged_in() {
    let sessions =
        builder().identify(
            async |session: Session| match session.get::<String>("cart").await {
                Ok(Some(cart)) => Caller::known(Identity::new(format!("owner of {cart}"))),
                Ok(None) => Caller::Anonymous,
                Err(_) => Caller::unverifiable(),
            },
        );
    let mut ann = serve(shop(sessions));
    ann.cookie = Some(Id(4711).to_string());
    assert_eq!(ann.get("/account").await.status(), 401);
    ann.post("/cart").await;
    assert_eq!(text(ann.get("/account").await).await, "owner of a hat");
}

#[tokio::test]
async fn without_what_says_who_is_logged_in_nobody_gets_in() {
    #[derive(Clone)]
    struct OfNoLayer;

    let sessions = builder().identify(async |_: OfNoLayer| Caller::known(Identity::new("eve")));
    let mut ann = serve(shop(sessions)).logged_in("ann").await;
    assert_eq!(ann.get("/account").await.status(), 503);
}

#[tokio::test]
async fn what_was_kept_by_another_version_is_no_login_and_can_be_replaced() {
    #[public(reason = "for the test")]
    async fn spoil(session: Session) {
        let spoiled = session.insert("auth-runtime.login", "ann").await;
        spoiled.expect("the store is there");
    }
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().route("/spoil", post(spoil)).protect(space);
    let layer = layer(MemoryStore::default());
    let mut ann = Browser::new(app.expect("every state is there").layer(layer));
    ann.post("/spoil").await;
    assert_eq!(ann.get("/account").await.status(), 401);
    let mut ann = ann.logged_in("ann").await;
    assert_eq!(ann.get("/account").await.status(), 200);
}

/// A store may contain sessions of an older version of the service.
#[tokio::test]
async fn a_login_is_read_whether_or_not_what_it_has_none_of_was_kept() {
    #[public(reason = "for the test")]
    async fn keep(session: Session, body: String) {
        let login: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let kept = session.insert("auth-runtime.login", login).await;
        kept.expect("the store is there");
    }
    let long = r#"{"subject":"ann","scopes":[],"roles":[],"permissions":[],"acr":null,"amr":[],
        "auth_time":1700000000,"clock_skew":0}"#;
    let short = r#"{"subject":"ann","auth_time":1700000000}"#;
    let timeless = r#"{"subject":"ann"}"#;
    for (login, status) in [(long, 200), (short, 200), (timeless, 401)] {
        let space = shop(builder()).build().expect("the space is in order");
        let app = routes().route("/keep", post(keep)).protect(space);
        let layer = layer(MemoryStore::default());
        let mut ann = Browser::new(app.expect("every state is there").layer(layer));
        ann.send_with(Request::post("/keep"), login).await;
        assert_eq!(ann.get("/account").await.status(), status, "{login}");
    }
}

#[test]
fn sessions_that_cannot_be_right_are_not_built() {
    let error = |sessions: SessionsBuilder| sessions.build().err();
    for name in ["", "a b", "a;b", "a=b", "größe"] {
        let wrong = Some(SessionsError::Cookie(name.to_owned()));
        assert_eq!(error(Sessions::builder().cookie(name)), wrong);
    }
    let origins = [
        "app.example",
        "https://app.example/",
        "https://app.example:443",
        "http://app.example:80",
        "https://App.example",
        "https://ann@app.example",
        "ftp://app.example",
        "null",
        "*",
        "",
        "https://app.example/path",
        "https://app.example?a",
    ];
    for origin in origins {
        let wrong = Some(SessionsError::Origin(origin.to_owned()));
        assert_eq!(error(Sessions::builder().trust_origin(origin)), wrong);
    }
    for origin in [
        "https://app.example",
        "http://localhost:5173",
        "https://[::1]:8443",
    ] {
        assert_eq!(error(Sessions::builder().trust_origin(origin)), None);
    }
    let pages = [
        "login",
        "",
        "//evil.example",
        "https://sso.example/login",
        "/log in",
        "/\\evil.example",
        "/login#form",
        "/größe",
    ];
    for page in pages {
        let space = shop(Sessions::builder().login_page(page)).build();
        assert_eq!(
            space.err(),
            Some(SpaceError::LoginPage(page.to_owned())),
            "{page}"
        );
    }
    let twice = shop(builder()).scheme(Other).build();
    assert_eq!(
        twice.err(),
        Some(SpaceError::SchemeTwice("Other".to_owned()))
    );
}

/// A second scheme for the same cookie.
struct Other;

impl Scheme for Other {
    fn name(&self) -> &str {
        "Other"
    }

    fn sources(&self) -> Vec<auth_runtime::schemes::Source> {
        vec![auth_runtime::schemes::Source::Cookie(NAME.to_owned())]
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }
}
