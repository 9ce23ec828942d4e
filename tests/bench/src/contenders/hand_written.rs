//! A guard that is written by hand with axum alone: extractors with the responses of RFC 6750 and
//! RFC 9457, from constants.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use crate::authority::{AUDIENCE, Authority, ISSUER, bearer};
use crate::contenders::{ADMIN, SCOPE, USER, owner_of, session_of};
use crate::{App, Contender, Group, HIDDEN, Outcome, PAGE, SHOWN};

const LEAVES_OUT: &str = "detect two credentials; respond in HTML or text; hide other methods of a \
                          hidden path; exclude responses from caches that do not recognize the \
                          credentials";

/// The reason of a denial.
#[derive(Clone, Copy)]
enum Denial {
    Unauthenticated,
    Rejected,
    Forbidden,
    NotOwner,
    NotFound,
}

const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="bench", scope="admin""#);
const INVALID: HeaderValue = HeaderValue::from_static(
    r#"Bearer realm="bench", scope="admin", error="invalid_token", error_description="the access token is not valid""#,
);
const INSUFFICIENT: HeaderValue = HeaderValue::from_static(
    r#"Bearer realm="bench", scope="admin", error="insufficient_scope", error_description="the access token lacks a required scope""#,
);

impl Denial {
    fn respond(self, challenge: Option<HeaderValue>) -> Response {
        let (status, body) = match self {
            Self::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"The request has no credentials of an accepted scheme."}"#,
            ),
            Self::Rejected => (
                StatusCode::UNAUTHORIZED,
                r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"The credentials are invalid or expired."}"#,
            ),
            Self::Forbidden if challenge.is_some() => (
                StatusCode::FORBIDDEN,
                r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"The credentials lack a required scope."}"#,
            ),
            Self::Forbidden | Self::NotOwner => (
                StatusCode::FORBIDDEN,
                r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"You are not allowed to do this."}"#,
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"Nothing was found at this address."}"#,
            ),
        };
        const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
        const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        headers.insert(header::CONTENT_TYPE, PROBLEM);
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        response
    }
}

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        self.respond(match self {
            Self::Unauthenticated => Some(CHALLENGE),
            Self::Rejected => Some(INVALID),
            Self::Forbidden => Some(INSUFFICIENT),
            Self::NotOwner => Some(PLAIN),
            Self::NotFound => None,
        })
    }
}

async fn not_found() -> Denial {
    Denial::NotFound
}

/// Returns the token in `Authorization: Bearer`, if present.
fn token(head: &Parts) -> Option<&str> {
    let value = head.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token)
}

/// The caller.
#[derive(Debug)]
struct User {
    name: String,
    scopes: Vec<String>,
}

/// Authenticates the caller.
trait Authenticate: Clone + Send + Sync + 'static {
    fn authenticate(&self, head: &Parts) -> Result<Arc<User>, Denial>;
}

/// A caller with the role admin.
struct Admin(Arc<User>);

/// The same, for a hidden page.
struct HiddenAdmin(Arc<User>);

impl<S: Authenticate> FromRequestParts<S> for Admin {
    type Rejection = Denial;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Denial> {
        let user = state.authenticate(head)?;
        match user.scopes.iter().any(|scope| scope == SCOPE) {
            true => Ok(Self(user)),
            false => Err(Denial::Forbidden),
        }
    }
}

impl<S: Authenticate> FromRequestParts<S> for HiddenAdmin {
    type Rejection = Denial;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Denial> {
        match Admin::from_request_parts(head, state).await {
            Ok(Admin(user)) => Ok(Self(user)),
            // The owner has to refresh the token.
            Err(Denial::Rejected) => Err(Denial::Rejected),
            Err(_) => Err(Denial::NotFound),
        }
    }
}

async fn shown(Admin(user): Admin) -> &'static str {
    debug_assert!(!user.name.is_empty());
    PAGE
}

async fn hidden(HiddenAdmin(user): HiddenAdmin) -> &'static str {
    debug_assert!(!user.name.is_empty());
    PAGE
}

fn router<S: Authenticate>(state: S) -> Router {
    Router::new()
        .route(SHOWN, get(shown))
        .route(HIDDEN, get(hidden))
        .fallback(not_found)
        .with_state(state)
}

/// The users by their tokens.
#[derive(Clone)]
struct Table(Arc<HashMap<String, Arc<User>>>);

impl Authenticate for Table {
    fn authenticate(&self, head: &Parts) -> Result<Arc<User>, Denial> {
        let token = token(head).ok_or(Denial::Unauthenticated)?;
        self.0.get(token).cloned().ok_or(Denial::Rejected)
    }
}

fn table() -> Table {
    let user = |name: &str, scopes: &[&str]| {
        let name = name.to_owned();
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        Arc::new(User { name, scopes })
    };
    let table = HashMap::from([
        (ADMIN.to_owned(), user("ada", &["read", "write", SCOPE])),
        (USER.to_owned(), user("ann", &["read", "write"])),
    ]);
    Table(Arc::new(table))
}

pub(crate) fn by_table() -> Contender {
    let app = App::Axum(router(table()));
    Contender::new("hand-written", Group::Identity, app)
        .does_not(LEAVES_OUT)
        .asked_with_tokens()
}

/// The same as middleware, in the style of axum's own examples. It guards the handler independently
/// of its extractors, and passes the user on.
pub(crate) fn by_table_in_middleware() -> Contender {
    async fn guard(State(table): State<Table>, request: Request, next: Next) -> Response {
        let (mut head, body) = request.into_parts();
        match Admin::from_request_parts(&mut head, &table).await {
            Ok(Admin(user)) => {
                head.extensions.insert(user);
                next.run(Request::from_parts(head, body)).await
            }
            Err(denial) => denial.into_response(),
        }
    }

    async fn shown(Extension(user): Extension<Arc<User>>) -> &'static str {
        debug_assert!(!user.name.is_empty());
        PAGE
    }

    let router = Router::new()
        .route(SHOWN, get(shown))
        .route_layer(from_fn_with_state(table(), guard))
        .fallback(not_found);
    Contender::new(
        "hand-written, as middleware",
        Group::Identity,
        App::Axum(router),
    )
    .asked(Outcome::Allow, Some(bearer(ADMIN)), 200, false)
    .asked(Outcome::Unauthenticated, None, 401, true)
    .asked(Outcome::Forbidden, Some(bearer(USER)), 403, true)
}

/// The key that verifies tokens, and the required claims.
#[derive(Clone)]
struct Verifier(Arc<(DecodingKey, Validation)>);

#[derive(Deserialize)]
struct Claims {
    sub: String,
    scope: String,
}

impl Authenticate for Verifier {
    fn authenticate(&self, head: &Parts) -> Result<Arc<User>, Denial> {
        let token = token(head).ok_or(Denial::Unauthenticated)?;
        let (key, validation) = &*self.0;
        let verified = jsonwebtoken::decode::<Claims>(token, key, validation);
        let Claims { sub, scope } = verified.map_err(|_| Denial::Rejected)?.claims;
        Ok(Arc::new(User {
            name: sub,
            scopes: scope.split(' ').map(str::to_owned).collect(),
        }))
    }
}

pub(crate) fn by_jwt(authority: &Authority) -> Contender {
    let key = DecodingKey::from_rsa_pem(authority.public_key().as_bytes()).expect("a key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    let app = App::Axum(router(Verifier(Arc::new((key, validation)))));
    Contender::new("hand-written", Group::Jwt, app)
        .does_not(LEAVES_OUT)
        .asked_with_jwts(authority)
}

/// The logged-in user.
#[derive(Deserialize, Serialize)]
struct LoggedIn {
    name: String,
    roles: Vec<String>,
}

const USER_IN_SESSION: &str = "user";

/// The challenge for a caller without a session.
const COOKIE: HeaderValue = HeaderValue::from_static(r#"Cookie realm="bench""#);

/// A user who is logged in as admin.
struct SessionOfAdmin(LoggedIn);

impl<S: Send + Sync> FromRequestParts<S> for SessionOfAdmin {
    type Rejection = Response;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Response> {
        let session = Session::from_request_parts(head, state).await;
        let session = session.map_err(IntoResponse::into_response)?;
        let user: Option<LoggedIn> = match session.get(USER_IN_SESSION).await {
            Ok(user) => user,
            Err(_) => return Err(StatusCode::SERVICE_UNAVAILABLE.into_response()),
        };
        let user = user.ok_or_else(|| Denial::Unauthenticated.respond(Some(COOKIE)))?;
        match user.roles.iter().any(|role| role == SCOPE) {
            true => Ok(Self(user)),
            false => Err(Denial::Forbidden.respond(None)),
        }
    }
}

async fn shown_in_session(SessionOfAdmin(user): SessionOfAdmin) -> impl IntoResponse {
    debug_assert!(!user.name.is_empty());
    // Shared caches do not know that a cookie was evaluated.
    ([(header::CACHE_CONTROL, "private")], PAGE)
}

async fn hidden_in_session(
    admin: Result<SessionOfAdmin, Response>,
) -> Result<impl IntoResponse, Denial> {
    match admin {
        Ok(admin) => Ok(shown_in_session(admin).await),
        Err(_) => Err(Denial::NotFound),
    }
}

async fn log_in(session: Session, Path(name): Path<String>) -> StatusCode {
    let roles = if name == "ada" {
        vec![SCOPE.to_owned()]
    } else {
        Vec::new()
    };
    match session
        .insert(USER_IN_SESSION, LoggedIn { name, roles })
        .await
    {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

pub(crate) async fn by_session() -> Contender {
    let router = Router::new()
        .route(SHOWN, get(shown_in_session))
        .route(HIDDEN, get(hidden_in_session))
        .route("/login/{name}", post(log_in))
        .fallback(not_found)
        .layer(SessionManagerLayer::new(MemoryStore::default()));
    let (ada, ann) = (
        session_of(&router, "ada").await,
        session_of(&router, "ann").await,
    );
    Contender::new("hand-written", Group::Session, App::Axum(router))
        .does_not("detect cross-site requests; distinguish an ended session from a missing one")
        .asked(Outcome::Allow, ada, 200, false)
        .asked(Outcome::Unauthenticated, None, 401, true)
        .asked(Outcome::Forbidden, ann.clone(), 403, false)
        .asked(Outcome::Hidden, ann, 404, false)
}

/// The challenges of pages that require no scope.
const PLAIN: HeaderValue = HeaderValue::from_static(r#"Bearer realm="bench""#);

/// A known caller.
struct Known(Arc<User>);

impl FromRequestParts<Table> for Known {
    type Rejection = Denial;

    async fn from_request_parts(head: &mut Parts, state: &Table) -> Result<Self, Denial> {
        state.authenticate(head).map(Self)
    }
}

async fn page_of_owner(user: &User, repo: &str) -> Result<&'static str, Denial> {
    match owner_of(repo).await == Some(user.name.as_str()) {
        true => Ok(PAGE),
        false => Err(Denial::NotOwner),
    }
}

async fn shown_to_owner(
    user: Result<Known, Denial>,
    Path(repo): Path<String>,
) -> Result<&'static str, Response> {
    let page = match user {
        Ok(Known(user)) => page_of_owner(&user, &repo).await,
        Err(denial) => Err(denial),
    };
    page.map_err(|denial| denial.respond(Some(PLAIN)))
}

async fn hidden_from_strangers(
    user: Result<Known, Denial>,
    Path(repo): Path<String>,
) -> Result<&'static str, Denial> {
    match user {
        Ok(Known(user)) => page_of_owner(&user, &repo)
            .await
            .map_err(|_| Denial::NotFound),
        Err(Denial::Rejected) => Err(Denial::Rejected),
        Err(_) => Err(Denial::NotFound),
    }
}

pub(crate) fn by_function() -> Contender {
    let router = Router::new()
        .route("/shown/{repo}", get(shown_to_owner))
        .route("/hidden/{repo}", get(hidden_from_strangers))
        .fallback(not_found)
        .with_state(table());
    Contender::new("hand-written", Group::Object, App::Axum(router))
        .does_not(LEAVES_OUT)
        .asked_with_tokens()
}
