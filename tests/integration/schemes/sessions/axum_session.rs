//! Sessions of axum_session.

use ::axum_session::{SessionConfig, SessionLayer, SessionNullPool, SessionStore};

use super::*;

type Session = ::axum_session::Session<SessionNullPool>;

#[public(reason = "callers log in here")]
async fn log_in(session: Session, Query(who): Query<Who>) {
    session.renew();
    session.set("user", who.name);
}

#[requires(authenticated)]
async fn log_out(session: Session) {
    session.destroy();
}

#[tokio::test]
async fn axum_session_logins_last_until_logout() {
    let sessions =
        Sessions::in_extension(
            async |session: Session| match session.get::<String>("user") {
                Some(user) => Caller::known(Identity::new(user)),
                None => Caller::Anonymous,
            },
        );
    let space = shop(sessions.cookie(NAME))
        .build()
        .expect("the space is in order");
    let routes = GuardedRouter::new()
        .route("/account", get(account))
        .route("/login", post(log_in))
        .route("/logout", post(log_out));
    let app = routes.protect(space).expect("every state is there");
    let config = SessionConfig::default()
        .with_session_name(NAME)
        .with_secure(true);
    let store = SessionStore::<SessionNullPool>::new(None, config)
        .await
        .expect("a store");
    let mut ann = Browser::new(app.layer(SessionLayer::new(store)));

    assert_eq!(ann.get("/account").await.status(), 401);
    let mut ann = ann.logged_in("ann").await;
    assert_eq!(text(ann.get("/account").await).await, "ann");
    let stolen = ann.cookie.clone();
    assert_eq!(ann.post("/logout").await.status(), 200);
    ann.cookie = stolen;
    assert_eq!(ann.get("/account").await.status(), 401);
}
