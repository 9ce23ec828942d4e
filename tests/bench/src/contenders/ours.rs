//! This framework.

use std::collections::HashMap;

use auth_runtime::challenge::{Challenge, ChallengeContext, ChallengeError, ErrorCode};
use auth_runtime::objects::{ObjectRequest, ObjectRules};
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{
    Bearer, Credentials, Jwt, JwtBuilder, JwtKey, Scheme, Sessions, TokenCache, Verification,
};
use auth_runtime::{
    Caller, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, public, requires,
};
use axum::Router;
use axum::extract::Path;
use http::StatusCode;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use crate::authority::{AUDIENCE, Authority, ISSUER};
use crate::contenders::{ADMIN, SCOPE, USER, owner_of, session_of};
use crate::{App, Contender, Group, HIDDEN, Outcome, PAGE, SHOWN};

#[requires(scope = "admin")]
async fn shown() -> &'static str {
    PAGE
}

#[requires(scope = "admin", hide_as = 404)]
async fn hidden() -> &'static str {
    PAGE
}

fn guarded(scheme: impl Scheme) -> ProtectedRouter {
    let space = ProtectionSpace::builder().realm("bench").scheme(scheme);
    let space = space.build().expect("the space is in order");
    GuardedRouter::new()
        .route(SHOWN, get(shown))
        .route(HIDDEN, get(hidden))
        .protect(space)
        .expect("every state is there")
}

/// The users by their tokens: a scheme of the service, without I/O.
pub struct Table(HashMap<String, Identity>);

impl Default for Table {
    fn default() -> Self {
        let identity =
            |name, scopes: &[&str]| Identity::new(name).with_scopes(scopes.iter().copied());
        Self(HashMap::from([
            (ADMIN.to_owned(), identity("ada", &["read", "write", SCOPE])),
            (USER.to_owned(), identity("ann", &["read", "write"])),
        ]))
    }
}

impl Scheme for Table {
    fn name(&self) -> &str {
        "Bearer"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::done(match self.0.get(credentials.value()) {
            Some(identity) => Caller::known(identity.clone()),
            None => Caller::rejected(),
        })
    }

    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        let mut challenge = Challenge::builder("Bearer");
        if let Some(realm) = context.realm() {
            challenge = challenge.quoted("realm", realm);
        }
        challenge = challenge.scopes(context.scopes().iter().map(AsRef::as_ref));
        let error = match context.error() {
            Some(ErrorCode::InvalidToken(_)) => {
                Some(("invalid_token", "the access token is not valid"))
            }
            Some(ErrorCode::InsufficientScope) => Some((
                "insufficient_scope",
                "the access token lacks a required scope",
            )),
            _ => None,
        };
        if let Some((code, description)) = error {
            challenge = challenge
                .quoted("error", code)
                .quoted("error_description", description);
        }
        challenge.constant().build()
    }

    fn is_oauth(&self) -> bool {
        true
    }
}

pub(crate) fn by_table() -> Contender {
    let app = App::Protected(guarded(Table::default()));
    Contender::new("ours, on a GuardedRouter", Group::Identity, app).asked_with_tokens()
}

pub(crate) fn on_a_plain_router() -> Contender {
    let space = ProtectionSpace::builder()
        .realm("bench")
        .scheme(Table::default());
    let space = space.build().expect("the space is in order");
    let router = Router::new()
        .route(SHOWN, axum::routing::get(shown))
        .route(HIDDEN, axum::routing::get(hidden))
        .layer(axum::Extension(space));
    Contender::new(
        "ours, on a plain Router",
        Group::Identity,
        App::Axum(router),
    )
    .does_not("hide other methods of a hidden path; respond to unknown paths as to hidden ones")
    .asked_with_tokens()
}

fn verifier(authority: &Authority) -> JwtBuilder {
    let key = JwtKey::rs256_pem(authority.public_key()).expect("a public key");
    Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key)
}

fn by_jwt(name: &'static str, jwt: JwtBuilder, authority: &Authority) -> Contender {
    let bearer = Bearer::jwt(jwt.build().expect("a verifier"));
    let app = App::Protected(guarded(bearer));
    Contender::new(name, Group::Jwt, app).asked_with_jwts(authority)
}

pub(crate) fn by_verified_jwt(authority: &Authority) -> Contender {
    by_jwt("ours, verified each time", verifier(authority), authority)
}

pub(crate) fn by_remembered_jwt(authority: &Authority) -> Contender {
    let verifier = verifier(authority).cache(TokenCache::default());
    by_jwt("ours, remembered", verifier, authority)
}

#[requires(role = "admin")]
async fn shown_to_role() -> &'static str {
    PAGE
}

#[requires(role = "admin", hide_as = 404)]
async fn hidden_from_others() -> &'static str {
    PAGE
}

#[public(reason = "callers log in here")]
async fn log_in(session: Session, Path(name): Path<String>) -> StatusCode {
    let roles = if name == "ada" {
        vec![SCOPE]
    } else {
        Vec::new()
    };
    let identity = Identity::new(name).with_roles(roles);
    match Sessions::log_in(&session, &identity).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

pub(crate) async fn by_session() -> Contender {
    let sessions = Sessions::builder().build().expect("sessions");
    let space = ProtectionSpace::builder().realm("bench").scheme(sessions);
    let router = GuardedRouter::new()
        .route(SHOWN, get(shown_to_role))
        .route(HIDDEN, get(hidden_from_others))
        .route("/login/{name}", post(log_in))
        .protect(space.build().expect("the space is in order"))
        .expect("every state is there")
        .layer(SessionManagerLayer::new(MemoryStore::default()));
    let (ada, ann) = (
        session_of(&router, "ada").await,
        session_of(&router, "ann").await,
    );
    Contender::new("ours", Group::Session, App::Protected(router))
        .asked(Outcome::Allow, ada, 200, false)
        .asked(Outcome::Unauthenticated, None, 401, true)
        .asked(Outcome::Forbidden, ann.clone(), 403, false)
        .asked(Outcome::Hidden, ann, 404, false)
}

#[requires(can = "update", on = "Repository::{repo}")]
async fn shown_to_owner() -> &'static str {
    PAGE
}

#[requires(can = "update", on = "Repository::{repo}", hide_as = 404)]
async fn hidden_from_strangers() -> &'static str {
    PAGE
}

async fn repository(request: ObjectRequest<'_>) -> bool {
    owner_of(request.id()).await == Some(request.identity().subject())
}

pub(crate) fn by_function() -> Contender {
    let rules = ObjectRules::new(()).on("Repository", repository);
    let space = ProtectionSpace::builder()
        .realm("bench")
        .scheme(Table::default())
        .decision_point(rules);
    let router = GuardedRouter::new()
        .route("/shown/{repo}", get(shown_to_owner))
        .route("/hidden/{repo}", get(hidden_from_strangers))
        .protect(space.build().expect("the space is in order"))
        .expect("every state is there");
    Contender::new("ours", Group::Object, App::Protected(router)).asked_with_tokens()
}
