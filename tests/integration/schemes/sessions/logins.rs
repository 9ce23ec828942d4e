//! Logins, and the identity that a session holds.

use std::convert::Infallible;
use std::sync::Mutex;

use auth_runtime::schemes::SchemeExt;

use super::*;

#[tokio::test]
async fn sessions_last_until_logout() {
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
async fn grants_are_kept_bonds_are_not() {
    let mut all = serve(shop(builder())).logged_in("all").await;
    assert_eq!(all.get("/everything").await.status(), 200);
    assert_eq!(all.get("/strong").await.status(), 200);
    let told = text(all.get("/known").await).await;
    assert!(told.contains("sender_constrained: false"), "{told}");
    let mut ann = all.fresh().logged_in("ann").await;
    assert_eq!(ann.get("/everything").await.status(), 403);
}

#[tokio::test]
async fn callers_have_issuer_of_their_login() {
    let store = MemoryStore::default();
    let session = Session::new(None, Arc::new(store.clone()), None);
    // Too old for `max_age`, except for the clock of the issuer.
    let ann = Identity::new("ann")
        .with_issuer(ISSUER)
        .with_auth_time(SystemTime::now() - Duration::from_secs(330))
        .with_clock_skew(Duration::from_secs(60));
    let logged_in = Sessions::log_in(&session, &ann).await;
    logged_in.expect("the store is there");
    session.save().await.expect("the store is there");
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let mut ann = Browser::new(app.layer(layer(store)));
    ann.cookie = session.id().map(|id| id.to_string());
    let known = text(ann.get("/known").await).await;
    assert!(
        known.contains(&format!("issuer: Some({ISSUER:?})")),
        "{known}"
    );
    assert_eq!(ann.get("/fresh").await.status(), 200);
}

#[tokio::test]
async fn earlier_ids_give_no_access() {
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
async fn made_up_ids_are_refused() {
    let mut ann = serve(shop(builder()));
    let planted = Some(Id(4711).to_string());
    ann.cookie = planted.clone();
    let ann = ann.logged_in("ann").await;
    assert!(ann.cookie.is_some() && ann.cookie != planted);
}

#[tokio::test]
async fn promotion_changes_the_id() {
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
async fn data_stays_with_its_user() {
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
async fn issuers_distinguish_users() {
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
        (Identity::new("Ann"), false),
        (Identity::new("Ann"), true),
    ] {
        let logged_in = Sessions::log_in(&session, &identity).await;
        logged_in.expect("the store is there");
        assert_eq!(cart().await.is_some(), kept, "{identity:?}");
        let filled = session.insert("cart", "a hat").await;
        filled.expect("the store is there");
    }
}

/// The user of a login in the format of another version is unknown.
#[tokio::test]
async fn data_beside_unreadable_login_is_removed() {
    let session = Session::new(None, Arc::new(MemoryStore::default()), None);
    for (name, value) in [("cart", "a hat"), ("auth-runtime.login", "ann")] {
        let filled = session.insert(name, value).await;
        filled.expect("the store is there");
    }
    let logged_in = Sessions::log_in(&session, &Identity::new("bob")).await;
    logged_in.expect("the store is there");
    assert_eq!(cart_of(&session).await, "");
}

#[tokio::test]
async fn sessions_without_login_are_anonymous() {
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
async fn stale_logins_are_challenged() {
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
async fn step_up_works_beside_tokens() {
    let mut ann = serve_with_tokens(builder(), Caller::rejected());
    ann.post("/login?name=ann&ago=400").await;
    let denied = ann.get("/fresh").await;
    assert!(challenges(&denied)[0].starts_with("Cookie realm=\"shop\", error=\"insufficient_user"));
}

/// The function of `with_user` rejects logins before a time of the user.
#[tokio::test]
async fn all_sessions_of_a_user_end() {
    type Since = Arc<Mutex<Option<SystemTime>>>;
    let since_of_ann = Since::default();
    let sessions = builder().build().expect("sessions");
    let sessions = sessions.with_user(since_of_ann.clone(), async |since: Since, identity| {
        let since = *since.lock().expect("no panic");
        let has_ended = identity.subject() == "ann" && identity.auth_time() < since;
        Ok::<_, Infallible>((!has_ended).then_some((identity, ())))
    });
    let app = serve(ProtectionSpace::builder().realm("shop").scheme(sessions));
    let mut browsers = [app.fresh(), app.fresh(), app.fresh()];
    let [old, renewed, of_bob] = &mut browsers;
    old.post("/login?name=ann&ago=60").await;
    renewed.post("/login?name=ann&ago=60").await;
    renewed.post("/promote").await;
    of_bob.post("/login?name=bob&ago=60").await;
    for browser in &mut browsers {
        assert_eq!(browser.get("/account").await.status(), 200);
    }
    let event = SystemTime::now() - Duration::from_secs(30);
    *since_of_ann.lock().expect("no panic") = Some(event);
    for (browser, status) in browsers.iter_mut().zip([401, 401, 200]) {
        assert_eq!(browser.get("/account").await.status(), status);
        assert_eq!(browser.cookie.is_some(), status == 200);
    }
    // A login at a provider may be older than the session.
    for (login, status) in [("ann", 200), ("ann&ago=20", 200), ("ann&ago=40", 401)] {
        let mut ann = app.fresh();
        ann.post(&format!("/login?name={login}")).await;
        assert_eq!(ann.get("/account").await.status(), status, "{login}");
    }
}
