//! jwt-authorizer 0.15: a layer that verifies tokens and passes their claims to a function. It
//! requires axum 0.7, so compare it with the cost of that version.

use axum_0_7::Router;
use axum_0_7::routing::get;
use jwt_authorizer::{IntoLayer, JwtAuthorizer, Validation};
use serde::Deserialize;

use crate::authority::{AUDIENCE, Authority, ISSUER, bearer};
use crate::contenders::{ADMIN_SCOPES, SCOPE, USER_SCOPES};
use crate::{App, Contender, Group, Outcome, PAGE, SHOWN};

#[derive(Clone, Deserialize)]
struct Granted {
    #[expect(dead_code, reason = "a service wants to know who calls")]
    sub: String,
    scope: String,
}

async fn shown() -> &'static str {
    PAGE
}

pub(crate) fn unguarded() -> Contender {
    let router = Router::new().route(SHOWN, get(shown));
    Contender::new("unguarded, on axum 0.7", Group::Jwt, App::Axum07(router))
        .does_not("guard anything; its 404 is that of an unknown path")
        .asked(Outcome::Allow, None, 200, false)
        .asked(Outcome::Hidden, None, 404, false)
}

pub(crate) async fn contender(authority: &Authority) -> Contender {
    let validation = Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]);
    let authorizer = JwtAuthorizer::from_rsa_pem_text(&authority.public_key())
        .validation(validation)
        .check(|claims: &Granted| claims.scope.split(' ').any(|scope| scope == SCOPE));
    let authorizer = authorizer.build().await.expect("an authorizer");
    let router = Router::new()
        .route(SHOWN, get(shown))
        .layer(authorizer.into_layer());
    let admin = bearer(&authority.token(ADMIN_SCOPES));
    let user = bearer(&authority.token(USER_SCOPES));
    Contender::new("jwt-authorizer 0.15", Group::Jwt, App::Axum07(router))
        .does_not(
            "work with axum 0.8; name a realm or the missing scope; send denials with `no-store` \
             or a body; hide",
        )
        .asked(Outcome::Allow, Some(admin), 200, false)
        .asked(Outcome::Unauthenticated, None, 401, true)
        .asked(Outcome::Forbidden, Some(user), 403, true)
}
