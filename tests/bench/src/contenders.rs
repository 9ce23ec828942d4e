//! The contenders: each in its own documented style and with its best settings.

#[cfg(feature = "peers")]
mod axum_gate;
#[cfg(feature = "peers")]
mod axum_jwt_auth;
#[cfg(feature = "peers")]
mod axum_login;
mod hand_written;
#[cfg(feature = "peers")]
mod jwt_authorizer;
mod ours;
#[cfg(feature = "peers")]
mod protect_axum;
#[cfg(feature = "peers")]
mod tower_oauth2_resource_server;
mod unguarded;

use std::convert::Infallible;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, header};
use tower::{Service, ServiceExt};

use crate::authority::{Authority, bearer};
use crate::{Contender, Outcome};

pub use self::ours::Table;

/// The token of an allowed caller, for contenders with a table of tokens.
pub(crate) const ADMIN: &str = "0123456789abcdef0123456789abcdef";
/// The token of a caller that is not allowed.
pub const USER: &str = "fedcba9876543210fedcba9876543210";

/// The owner of the object that the functions of the contenders decide about.
pub(crate) const OWNER: &str = "ada";

/// The query for the owner of an object: in memory, so that the cost of the decision dominates.
pub(crate) async fn owner_of(object: &str) -> Option<&'static str> {
    (object == "garden").then_some(OWNER)
}

/// The required scope.
pub(crate) const SCOPE: &str = "admin";
/// The scopes in the JWT of an allowed caller.
pub(crate) const ADMIN_SCOPES: &str = "openid profile read write admin";
/// The scopes in the JWT of a caller that is not allowed.
pub(crate) const USER_SCOPES: &str = "openid profile read write";

/// Returns all contenders, after a check of their responses. It has to be called within a runtime,
/// which some of them need.
pub async fn all(authority: &Authority) -> Vec<Contender> {
    #[cfg(feature = "peers")]
    peers_verify_by_their_fastest_library();
    let contenders = vec![
        unguarded::contender(),
        hand_written::by_table(),
        hand_written::by_table_in_middleware(),
        ours::by_table(),
        ours::on_a_plain_router(),
        #[cfg(feature = "peers")]
        protect_axum::contender(),
        hand_written::by_jwt(authority),
        ours::by_verified_jwt(authority),
        ours::by_remembered_jwt(authority),
        #[cfg(feature = "peers")]
        axum_gate::contender(authority),
        #[cfg(feature = "peers")]
        axum_jwt_auth::contender(authority),
        #[cfg(feature = "peers")]
        jwt_authorizer::unguarded(),
        #[cfg(feature = "peers")]
        jwt_authorizer::contender(authority).await,
        #[cfg(feature = "peers")]
        tower_oauth2_resource_server::contender(authority).await,
        hand_written::by_session().await,
        ours::by_session().await,
        #[cfg(feature = "peers")]
        axum_login::contender().await,
        hand_written::by_function(),
        ours::by_function(),
    ];
    for contender in &contenders {
        contender.check();
    }
    contenders
}

/// Two of them share a version of `jsonwebtoken`, and one enables its slower backend. With two
/// backends, an explicit choice is required.
#[cfg(feature = "peers")]
fn peers_verify_by_their_fastest_library() {
    // A second call is refused, and changes nothing.
    let _ = jsonwebtoken_10::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

impl Contender {
    /// Adds the requests with tokens of the table. All responses follow RFC 6750.
    fn asked_with_tokens(self) -> Self {
        self.asked(Outcome::Allow, Some(bearer(ADMIN)), 200, false)
            .asked(Outcome::Unauthenticated, None, 401, true)
            .asked(Outcome::Forbidden, Some(bearer(USER)), 403, true)
            .asked(Outcome::Hidden, Some(bearer(USER)), 404, false)
    }

    /// Adds the requests with JWTs. All responses follow RFC 6750.
    fn asked_with_jwts(self, authority: &Authority) -> Self {
        let user = bearer(&authority.token(USER_SCOPES));
        let admin = bearer(&authority.token(ADMIN_SCOPES));
        self.asked(Outcome::Allow, Some(admin), 200, false)
            .asked(Outcome::Unauthenticated, None, 401, true)
            .asked(Outcome::Forbidden, Some(user.clone()), 403, true)
            .asked(Outcome::Hidden, Some(user), 404, false)
    }
}

/// Returns the cookie that `POST /login/{name}` sets.
async fn session_of<A>(router: &A, name: &str) -> Option<(HeaderName, HeaderValue)>
where
    A: Service<Request, Response = Response, Error = Infallible> + Clone,
{
    let request = http::Request::builder()
        .method(Method::POST)
        .uri(format!("/login/{name}"))
        .body(axum::body::Body::empty())
        .expect("a request");
    let Ok(response) = router.clone().oneshot(request).await;
    let cookie = response.headers().get(header::SET_COOKIE);
    let cookie = cookie.and_then(|cookie| cookie.to_str().ok());
    let pair = cookie.and_then(|cookie| cookie.split(';').next());
    let pair = HeaderValue::try_from(pair.expect("a cookie"));
    Some((header::COOKIE, pair.expect("a cookie")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_contender_answers_as_it_should() {
        let contenders = all(&Authority::new()).await;
        assert_eq!(
            contenders.len(),
            if cfg!(feature = "peers") { 19 } else { 12 },
        );
    }

    /// Otherwise the prices would not be comparable.
    #[tokio::test]
    async fn hand_written_guards_have_our_bytes() {
        let authority = Authority::new();
        let session = ours::by_session().await;
        for (ours, theirs) in [
            (ours::by_table(), hand_written::by_table()),
            (
                ours::by_verified_jwt(&authority),
                hand_written::by_jwt(&authority),
            ),
            (session, hand_written::by_session().await),
            (ours::by_function(), hand_written::by_function()),
        ] {
            for outcome in Outcome::ALL {
                let answer = |one: &Contender| one.ask(outcome).map(|ask| one.answer(ask));
                assert_eq!(answer(&ours), answer(&theirs), "{}, {outcome:?}", ours.name);
            }
        }
    }
}
