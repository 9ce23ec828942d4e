//! Sessions of another version of tower-sessions than that of the feature `sessions`.

use ::tower_sessions_0_15::{MemoryStore, Session, SessionManagerLayer};

use super::*;

#[public(reason = "callers log in here")]
async fn log_in(session: Session, Query(who): Query<Who>) {
    session.cycle_id().await.expect("the store is there");
    let inserted = session.insert("user", who.name).await;
    inserted.expect("the store is there");
}

#[requires(authenticated)]
async fn log_out(session: Session) {
    session.flush().await.expect("the store is there");
}

#[public(reason = "anybody may fill a cart")]
async fn fill_cart(session: Session) {
    let filled = session.insert("cart", "a hat").await;
    filled.expect("the store is there");
}

fn router() -> ProtectedRouter {
    let sessions = Sessions::in_extension(async |session: Session| {
        match session.get::<String>("user").await {
            Ok(Some(user)) => Caller::known(Identity::new(user)),
            // The store has no such session.
            Ok(None) if session.id().is_none() => Caller::rejected(),
            Ok(None) => Caller::Anonymous,
            Err(_) => Caller::unverifiable(),
        }
    });
    let space = shop(sessions.cookie(NAME))
        .build()
        .expect("the space is in order");
    let routes = GuardedRouter::new()
        .route("/account", get(account))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/cart", post(fill_cart));
    routes.protect(space).expect("every state is there")
}

fn serve() -> Browser {
    let layer = SessionManagerLayer::new(MemoryStore::default()).with_name(NAME);
    Browser::new(router().layer(layer))
}

#[tokio::test]
async fn logins_last_until_logout() {
    let mut ann = serve();
    assert_eq!(ann.get("/account").await.status(), 401);
    ann.post("/cart").await;
    assert_eq!(ann.get("/account").await.status(), 401);
    assert!(ann.cookie.is_some(), "the cart is kept");
    let mut ann = ann.logged_in("ann").await;
    assert_eq!(text(ann.get("/account").await).await, "ann");
    let stolen = ann.cookie.clone();
    assert_eq!(ann.post("/logout").await.status(), 200);
    ann.cookie = stolen;
    assert_eq!(ann.get("/account").await.status(), 401);
    assert_eq!(ann.cookie, None, "the response removes it");
}

/// The layer takes one of them, and the scheme does not know which one.
#[tokio::test]
async fn several_cookies_are_rejected() {
    let ann = serve().logged_in("ann").await;
    let own = ann.cookie.clone().expect("a cookie");
    let eve = ann.fresh().logged_in("eve").await.cookie.expect("a cookie");
    let other = NAME.replace('n', "%6e");
    for (cookies, status) in [
        (format!("{NAME}={own}"), 200),
        (format!("theme=dark; {NAME}={own}"), 200),
        (format!("{NAME}={own}; {NAME}={eve}"), 401),
        (format!("{NAME}={own}; {other}={eve}"), 401),
        (format!("{other}={eve}"), 401),
        // The layer trims the name.
        (format!("{NAME}={own}; \u{2003}{NAME}={eve}"), 401),
        (format!("\u{a0}{NAME}={eve}"), 401),
    ] {
        let lines: Lines = vec![("cookie", cookies.clone().into())];
        let response = send(&ann.app, "/account", &lines).await;
        assert_eq!(response.status(), status, "{cookies}");
    }
}

/// The layer of version 0.14 adds another type.
#[tokio::test]
async fn missing_layers_are_closed() {
    let store = super::MemoryStore::default();
    let mut ann = Browser::new(router().layer(layer(store)));
    ann.cookie = Some(Id(4711).to_string());
    assert_eq!(ann.get("/account").await.status(), 503);
}
