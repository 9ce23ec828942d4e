//! Users of axum-login, in a shared session.

use std::convert::Infallible;

use ::axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, login_required};
use auth_runtime::CurrentUser;
use auth_runtime::schemes::SchemeExt;
use axum::routing;

use super::*;

#[derive(Clone, Debug, PartialEq)]
struct User {
    name: String,
    roles: Vec<&'static str>,
    password_hash: String,
}

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password_hash.as_bytes()
    }
}

/// A backend with `ann`, and with `ada` as admin. A new password ends every session.
#[derive(Clone, Default)]
struct Backend {
    password_changed: Arc<AtomicBool>,
}

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = String;
    type Error = Infallible;

    async fn authenticate(&self, name: String) -> Result<Option<User>, Infallible> {
        self.get_user(&name).await
    }

    async fn get_user(&self, name: &String) -> Result<Option<User>, Infallible> {
        let roles = match name.as_str() {
            "ada" => vec!["admin"],
            "ann" => Vec::new(),
            _ => return Ok(None),
        };
        let changed = self.password_changed.load(Ordering::Relaxed);
        Ok(Some(User {
            name: name.clone(),
            roles,
            password_hash: format!("changed: {changed}"),
        }))
    }
}

#[public(reason = "callers log in here")]
async fn log_in(mut auth: AuthSession<Backend>, Query(who): Query<Who>) -> StatusCode {
    match auth.authenticate(who.name).await {
        Ok(Some(user)) => match auth.login(&user).await {
            Ok(()) => StatusCode::OK,
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
        },
        _ => StatusCode::UNAUTHORIZED,
    }
}

#[requires(authenticated)]
async fn log_out(mut auth: AuthSession<Backend>) {
    auth.logout().await.expect("the store is there");
}

#[requires(role = "admin")]
async fn admin(user: CurrentUser<User>, auth: AuthSession<Backend>) -> String {
    assert_eq!(Some(&*user), auth.user.as_ref());
    user.name.clone()
}

fn serve(backend: Backend) -> Browser {
    let sessions = Sessions::in_extension(async |auth: AuthSession<Backend>| match auth.user {
        Some(user) => {
            let identity = Identity::new(&user.name).with_roles(user.roles.clone());
            Caller::known(identity.with_user(user))
        }
        // The session has ended.
        None if auth.session.id().is_none() => Caller::rejected(),
        None => Caller::Anonymous,
    });
    let sessions = sessions.cookie(NAME).build().expect("sessions");
    let space = ProtectionSpace::builder()
        .realm("shop")
        .scheme(sessions.requires_user::<User>());
    let space = space.build().expect("the space is in order");
    let app = GuardedRouter::new()
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/admin", get(admin))
        .route("/account", get(account))
        .protect(space)
        .expect("every state is there");
    // Guarded by axum-login itself.
    let theirs = Router::new()
        .route("/theirs", routing::get(async || "theirs"))
        .route_layer(login_required!(Backend));
    let sessions = layer(MemoryStore::default());
    let layer = AuthManagerLayerBuilder::new(backend, sessions).build();
    let app = app.into_router("half of the pages are still guarded by axum-login");
    Browser::new(app.merge(theirs).layer(layer))
}

#[tokio::test]
async fn axum_login_users_are_granted() {
    let app = serve(Backend::default());
    let mut nobody = app.fresh();
    assert_eq!(nobody.get("/admin").await.status(), 401);
    assert_eq!(nobody.post("/login?name=eve").await.status(), 401);

    let mut ada = app.fresh().logged_in("ada").await;
    assert_eq!(text(ada.get("/admin").await).await, "ada");
    assert_eq!(ada.get("/theirs").await.status(), 200);
    let mut ann = app.fresh().logged_in("ann").await;
    assert_eq!(ann.get("/admin").await.status(), 403);
    assert_eq!(text(ann.get("/account").await).await, "ann");
}

#[tokio::test]
async fn axum_login_logout_is_denied() {
    let mut ada = serve(Backend::default()).logged_in("ada").await;
    let cookie = ada.cookie.clone();
    assert_eq!(ada.post("/logout").await.status(), 200);
    ada.cookie = cookie;
    assert_eq!(ada.get("/admin").await.status(), 401);
}

#[tokio::test]
async fn new_password_ends_the_session() {
    let backend = Backend::default();
    let mut ada = serve(backend.clone()).logged_in("ada").await;
    backend.password_changed.store(true, Ordering::Relaxed);
    let denied = ada.get("/admin").await;
    assert_eq!(denied.status(), 401);
    assert_eq!(challenges(&denied), [COOKIE]);
    assert_eq!(ada.cookie, None);
}
