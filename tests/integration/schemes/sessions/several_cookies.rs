//! Several cookies of the session's name: set for other paths and domains, or by other hosts.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use tower::{Layer, Service};

use super::*;

/// An application and two logged-in visitors.
struct Visitors {
    app: BoxedApp,
    store: Failing,
    ann: String,
    bob: String,
}

impl Visitors {
    async fn new(layers_cookies: bool) -> Self {
        let space = shop(builder()).build().expect("the space is in order");
        let app = routes().protect(space).expect("every state is there");
        let store = Failing::default();
        let app = app.layer(layer(store.clone()));
        let app = match layers_cookies {
            true => app.layer(cookies(store.clone())),
            false => app,
        };
        let browser = Browser::new(app);
        let id = |browser: Browser| browser.cookie.expect("a cookie");
        Self {
            ann: id(browser.fresh().logged_in("ann").await),
            bob: id(browser.fresh().logged_in("bob").await),
            app: browser.app,
            store,
        }
    }

    fn request(&self, method: Method, target: &str, cookies: &str) -> Request {
        let request = Request::builder().method(method).uri(target);
        let request = request.header("cookie", self.filled(cookies));
        request.body(Body::empty()).expect("a request")
    }

    /// Replaces the names by the values.
    fn filled(&self, cookies: &str) -> String {
        let encoded = self.ann.bytes().map(|byte| format!("%{byte:02X}"));
        let encoded: String = encoded.collect();
        cookies
            .replace("id=", &format!("{NAME}="))
            .replace("i%64=", &format!("{}=", NAME.replace('n', "%6e")))
            .replace("=encoded", &format!("={encoded}"))
            .replace("=ann", &format!("={}", self.ann))
            .replace("=bob", &format!("={}", self.bob))
            .replace("=stale", &format!("={}", Id(4711)))
            .replace("=old", &format!("={}", Id(4712)))
    }

    async fn send(&self, method: Method, target: &str, cookies: &str) -> Response {
        let request = self.request(method, target, cookies);
        self.app.clone().oneshot(request).await.expect("infallible")
    }

    /// Returns the caller of a page, or the status.
    async fn caller(&self, cookies: &str) -> String {
        let response = self.send(Method::GET, "/account", cookies).await;
        match response.status() {
            StatusCode::OK => text(response).await,
            status => status.as_str().to_owned(),
        }
    }
}

fn removals(response: &Response) -> Vec<&str> {
    let lines = response.headers().get_all("set-cookie").iter();
    lines.map(|line| line.to_str().expect("ASCII")).collect()
}

const REMOVAL: &str = "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";

/// The cookies, and the expected caller or status.
const TABLE: [(&str, &str); 21] = [
    ("id=ann", "ann"),
    ("id=stale; id=ann", "ann"),
    ("id=ann; id=stale", "ann"),
    ("id=stale; id=old; id=ann", "ann"),
    ("id=ann; id=stale; id=old", "ann"),
    ("id=no-id; id=ann", "ann"),
    ("id=ann; id=no-id", "ann"),
    ("id=ann; id=", "ann"),
    ("a=b; id=ann; c=d; id=stale; e=f", "ann"),
    ("id=ann; id=ann", "ann"),
    // One session in two spellings.
    ("id=ann; id=encoded", "ann"),
    ("id=encoded; id=ann", "ann"),
    ("id=ann; i%64=bob", "ann"),
    ("i%64=bob; id=ann", "ann"),
    ("i%64=stale; id=ann; id=old", "ann"),
    ("i%64=ann", "401"),
    ("id=stale; id=old", "401"),
    ("id=stale; i%64=bob", "401"),
    ("id=ann; id=bob", "400"),
    ("id=bob; id=stale; id=ann", "400"),
    ("id=bob; id=ann; i%64=ann", "400"),
];

#[tokio::test]
async fn cookie_of_live_session_counts() {
    let visitors = Visitors::new(true).await;
    for (cookies, expected) in TABLE {
        assert_eq!(visitors.caller(cookies).await, expected, "{cookies}");
    }
}

#[tokio::test]
async fn handler_receives_the_live_session() {
    for cookies in ["id=ann; id=stale", "id=stale; id=ann", "id=ann; i%64=bob"] {
        let visitors = Visitors::new(true).await;
        let logged_out = visitors.send(Method::POST, "/logout", cookies).await;
        assert_eq!(logged_out.status(), 200, "{cookies}");
        assert_eq!(visitors.caller("id=ann").await, "401", "{cookies}");
        assert_eq!(visitors.caller("id=bob").await, "bob", "{cookies}");
    }
}

#[tokio::test]
async fn several_cookies_reveal_no_path() {
    for layers_cookies in [true, false] {
        let visitors = Visitors::new(layers_cookies).await;
        for (cookies, _) in TABLE {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                println!("{method} {cookies}");
                let request = visitors.request(method, "/hidden", cookies);
                assert_hidden(visitors.app.clone(), request).await;
            }
        }
    }
}

#[tokio::test]
async fn only_live_cookies_stay() {
    let visitors = Visitors::new(true).await;
    for (cookies, caller) in TABLE {
        for target in ["/account", "/hidden", "/nowhere"] {
            let response = visitors.send(Method::GET, target, cookies).await;
            let removed = removals(&response).contains(&REMOVAL);
            let sends_one = cookies.contains("id=");
            let is_removed = sends_one && ["400", "401"].contains(&caller);
            assert_eq!(removed, is_removed, "{target} {cookies}");
            // Both live sessions stay live, since another site may have set one of the cookies.
            assert_eq!(visitors.caller("id=ann").await, "ann");
            assert_eq!(visitors.caller("id=bob").await, "bob");
        }
    }
}

#[tokio::test]
async fn removal_matches_the_cookie_prefix() {
    for (name, expected) in [
        ("id", "id=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"),
        (
            "__Secure-id",
            "__Secure-id=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            "__host-id",
            "__host-id=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
        ),
    ] {
        let sessions = Sessions::builder().cookie(name).build().expect("sessions");
        let store = MemoryStore::default();
        let cookies = sessions.cookie_layer(store.clone());
        let space = ProtectionSpace::builder().realm("shop").scheme(sessions);
        let app = routes().protect(space.build().expect("a space"));
        let layer = SessionManagerLayer::new(store).with_name(name);
        let app = app.expect("a router").layer(layer).layer(cookies);
        let stale = vec![("cookie", format!("{name}={}", Id(4711)).into_bytes())];
        let response = send(&app, "/account", &stale).await;
        assert!(removals(&response).contains(&expected), "{name}");
    }
}

#[tokio::test]
async fn store_lookups_are_bounded() {
    let visitors = Visitors::new(true).await;
    let many = |count: i128| -> String {
        let ids = (0..count).map(|id| format!("id={}; ", Id(id)));
        ids.collect()
    };
    for (cookies, caller, loads) in [
        ("id=ann".to_owned(), "ann", 1),
        ("id=ann; id=ann".to_owned(), "ann", 1),
        (format!("{}id=ann", many(3)), "ann", 5),
        (format!("{}id=ann", many(500)), "ann", 5),
        // Cookies before the last four are ignored.
        (format!("id=ann; {}", many(500)), "401", 5),
    ] {
        visitors.store.loads.store(0, Ordering::Relaxed);
        let sent = cookies.get(..40).unwrap_or(&cookies);
        assert_eq!(visitors.caller(&cookies).await, caller, "{sent}");
        let asked = visitors.store.loads.load(Ordering::Relaxed);
        assert_eq!(asked, loads, "{sent}");
    }
}

#[tokio::test]
async fn store_outage_is_503() {
    let visitors = Visitors::new(true).await;
    visitors.store.fails.store(true, Ordering::Relaxed);
    for target in ["/account", "/hidden", "/nowhere"] {
        let response = visitors.send(Method::GET, target, "id=stale; id=ann").await;
        assert_eq!(response.status(), 503, "{target}");
        assert!(removals(&response).is_empty(), "{target}");
    }
}

/// The session layer uses the last cookie.
#[tokio::test]
async fn first_session_without_cookie_layer() {
    let visitors = Visitors::new(false).await;
    for (cookies, expected) in [
        ("id=stale; id=ann", "ann"),
        ("id=no-id; id=ann", "ann"),
        ("id=ann; id=ann", "ann"),
        ("id=bob; id=ann", "ann"),
        ("i%64=bob; id=ann", "ann"),
        ("id=ann; id=stale", "401"),
        ("id=ann; id=no-id", "401"),
        // A session with a misspelt cookie name is never used in place of another one.
        ("id=ann; i%64=bob", "401"),
        ("i%64=bob", "401"),
    ] {
        assert_eq!(visitors.caller(cookies).await, expected, "{cookies}");
    }
}

#[tokio::test]
async fn misplaced_cookie_layer_changes_nothing() {
    let mut visitors = Visitors::new(false).await;
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let store = visitors.store.clone();
    visitors.app = BoxedApp::new(app.layer(cookies(store.clone())).layer(layer(store)));
    for (cookies, expected) in [
        ("id=ann", "ann"),
        ("id=stale; id=ann", "ann"),
        ("id=bob; id=ann", "ann"),
        ("id=ann; id=stale", "401"),
        ("id=ann; i%64=bob", "401"),
    ] {
        assert_eq!(visitors.caller(cookies).await, expected, "{cookies}");
    }
}

/// A service that has to be polled before each call, and returns whether it was.
struct Polled(bool);

impl Clone for Polled {
    fn clone(&self) -> Self {
        Self(false)
    }
}

impl Service<Request> for Polled {
    type Response = bool;
    type Error = Infallible;
    type Future = Ready<Result<bool, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0 = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        ready(Ok(self.0))
    }
}

#[tokio::test]
async fn the_cookie_layer_polls_its_service() {
    let service = cookies(MemoryStore::default()).layer(Polled(false));
    for cookies in [format!("{NAME}=x"), format!("{NAME}=x; {NAME}=y")] {
        let request = Request::get("/").header("cookie", &cookies);
        let request = request.body(Body::empty()).expect("a request");
        let was_polled = service.clone().oneshot(request).await;
        assert_eq!(was_polled, Ok(true), "{cookies}");
    }
}

#[tokio::test]
async fn other_cookies_reach_the_handler() {
    #[public(reason = "for the test")]
    async fn echo(headers: http::HeaderMap) -> String {
        let lines = headers.get_all("cookie").iter();
        let lines = lines.map(|line| line.to_str().expect("ASCII"));
        lines.collect::<Vec<_>>().join(" | ")
    }
    let space = shop(builder()).build().expect("the space is in order");
    let app = GuardedRouter::new()
        .route("/echo", get(echo))
        .protect(space);
    let store = MemoryStore::default();
    let app = app
        .expect("a router")
        .layer(layer(store.clone()))
        .layer(cookies(store));
    for (sent, seen) in [
        ("a=b; c", "a=b; c"),
        (
            "a=b; __Host-session=x; c; __Host-session=y; d=\"e\"",
            "a=b; c; d=\"e\" | __Host-session=y",
        ),
        ("__Host-%73ession=x", ""),
    ] {
        let lines = vec![("cookie", sent.as_bytes().to_vec())];
        assert_eq!(text(send(&app, "/echo", &lines).await).await, seen);
    }
}
