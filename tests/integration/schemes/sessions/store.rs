//! The store: expiry, outages, and logins of other versions.

use tower_sessions::Expiry;

use super::*;

#[tokio::test]
async fn expired_sessions_are_rejected() {
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
async fn store_outages_are_503() {
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

/// Otherwise the login would be in a session whose id another site may have planted.
#[tokio::test]
async fn login_that_keeps_old_session_fails() {
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let store = Failing::default();
    let mut ann = Browser::new(app.layer(layer(store.clone())));
    ann.post("/cart").await;
    let planted = ann.cookie.clone();
    store.deletes_nothing.store(true, Ordering::Relaxed);
    let failed = ann.post("/login?name=ann").await;
    assert!(text(failed).await.contains("read-only"));
    for cookie in [planted, ann.cookie.clone()] {
        ann.cookie = cookie;
        assert_eq!(ann.get("/account").await.status(), 401, "{:?}", ann.cookie);
    }
}

#[tokio::test]
async fn unknown_formats_are_no_login() {
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
async fn absent_fields_are_read() {
    #[public(reason = "for the test")]
    async fn keep(session: Session, body: String) {
        let kept = session.insert("auth-runtime.login", body).await;
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
