//! axum-jwt-auth 0.7: an extractor of verified claims. The handler checks the scopes.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use http::StatusCode;
use jsonwebtoken_10::{Algorithm, DecodingKey, Validation};
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

#[derive(Clone, FromRef)]
struct State {
    decoder: Decoder<Granted>,
}

async fn shown(user: Claims<Granted>) -> Result<&'static str, StatusCode> {
    match user.claims.scope.split(' ').any(|scope| scope == SCOPE) {
        true => Ok(PAGE),
        false => Err(StatusCode::FORBIDDEN),
    }
}

pub(crate) fn contender(authority: &Authority) -> Contender {
    let key = DecodingKey::from_rsa_pem(authority.public_key().as_bytes()).expect("a key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    let decoder = LocalDecoder::builder()
        .keys(vec![key])
        .validation(validation);
    let decoder: Decoder<Granted> = Arc::new(decoder.build().expect("a decoder"));
    let router = Router::new()
        .route(SHOWN, get(shown))
        .with_state(State { decoder });
    let admin = bearer(&authority.token(ADMIN_SCOPES));
    let user = bearer(&authority.token(USER_SCOPES));
    Contender::new("axum-jwt-auth 0.7", Group::Jwt, App::Axum(router))
        .does_not(
            "send challenges; check scopes (the handler does, and responds with an empty 403); \
             send denials with `no-store`; hide",
        )
        .asked(Outcome::Allow, Some(admin), 200, false)
        .asked(Outcome::Unauthenticated, None, 401, false)
        .asked(Outcome::Forbidden, Some(user), 403, false)
}
