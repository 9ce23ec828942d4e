//! axum-login 0.18: users in sessions, and a layer that requires a permission.

use std::collections::HashSet;
use std::convert::Infallible;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use axum_login::{
    AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, AuthzBackend, permission_required,
};
use http::StatusCode;
use tower_sessions::{MemoryStore, SessionManagerLayer};

use crate::contenders::{SCOPE, session_of};
use crate::{App, Contender, Group, Outcome, PAGE, SHOWN};

#[derive(Clone, Debug)]
struct User {
    name: String,
    password_hash: [u8; 32],
}

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.password_hash
    }
}

/// Every user exists, and `ada` is admin.
#[derive(Clone)]
struct Backend;

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = String;
    type Error = Infallible;

    async fn authenticate(&self, name: String) -> Result<Option<User>, Infallible> {
        self.get_user(&name).await
    }

    async fn get_user(&self, name: &String) -> Result<Option<User>, Infallible> {
        let name = name.clone();
        let password_hash = [7; 32];
        Ok(Some(User {
            name,
            password_hash,
        }))
    }
}

impl AuthzBackend for Backend {
    type Permission = String;

    async fn get_user_permissions(&self, user: &User) -> Result<HashSet<String>, Infallible> {
        let permission = (user.name == "ada").then(|| SCOPE.to_owned());
        Ok(permission.into_iter().collect())
    }
}

async fn shown() -> &'static str {
    PAGE
}

async fn log_in(mut auth: AuthSession<Backend>, Path(name): Path<String>) -> StatusCode {
    match auth.authenticate(name).await {
        Ok(Some(user)) if auth.login(&user).await.is_ok() => StatusCode::NO_CONTENT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

pub(crate) async fn contender() -> Contender {
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let router = Router::new()
        .route(SHOWN, get(shown))
        .route_layer(permission_required!(Backend, "admin"))
        .route("/login/{name}", post(log_in))
        .layer(AuthManagerLayerBuilder::new(Backend, sessions).build());
    let (ada, ann) = (
        session_of(&router, "ada").await,
        session_of(&router, "ann").await,
    );
    Contender::new("axum-login 0.18", Group::Session, App::Axum(router))
        .does_not(
            "distinguish 401 from 403 where a permission is required; send challenges; send \
             denials with `no-store`, or pages with `private`; give denials a body; hide; but it \
             loads the user from its backend for each request, which detects a changed password",
        )
        .asked(Outcome::Allow, ada, 200, false)
        // Its only response to a caller without a session.
        .asked(Outcome::Unauthenticated, None, 403, false)
        .asked(Outcome::Forbidden, ann, 403, false)
}
