//! axum-gate 1.1: a layer with a policy, over accounts that are kept in tokens of its own.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use axum_gate::codecs::Codec;
use axum_gate::prelude::{
    AccessPolicy, Account, Gate, Group as Team, JsonWebToken, JsonWebTokenOptions, JwtClaims,
    RegisteredClaims, Role,
};
use jsonwebtoken_10::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

use crate::authority::{Authority, ISSUER, KEY_ID, bearer, now};
use crate::{App, Contender, Group, Outcome, PAGE, SHOWN};

type Token = JsonWebToken<JwtClaims<Account<Role, Team>>>;

async fn shown() -> &'static str {
    PAGE
}

fn codec(authority: &Authority) -> Token {
    let signer = EncodingKey::from_rsa_pem(authority.private_key().as_bytes());
    let key = DecodingKey::from_rsa_pem(authority.public_key().as_bytes());
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(KEY_ID.to_owned());
    let options = JsonWebTokenOptions {
        enc_key: signer.expect("a signing key"),
        dec_key: key.expect("a public key"),
        header: Some(header),
        validation: Some(Validation::new(Algorithm::RS256)),
    };
    Token::new_with_options(options)
}

pub(crate) fn contender(authority: &Authority) -> Contender {
    let codec = Arc::new(codec(authority));
    let token = |role: Role| {
        let account = Account::new("7d1b4a0e-6c1f-4d0e-9f6e-3f8b6f1c2d3a", &[role], &[]);
        let claims = JwtClaims::new(account, RegisteredClaims::new(ISSUER, now() + 3600));
        let token = codec.encode(&claims).expect("a token");
        bearer(&String::from_utf8(token).expect("a token is ASCII"))
    };
    let (admin, user) = (token(Role::Admin), token(Role::User));
    let gate = Gate::bearer::<Token, Role, Team>(ISSUER, Arc::clone(&codec))
        .with_policy(AccessPolicy::require_role(Role::Admin));
    let router = Router::new().route(SHOWN, get(shown)).layer(gate);
    Contender::new("axum-gate 1.1", Group::Jwt, App::Axum(router))
        .does_not(
            "accept tokens of other issuers; check the audience; distinguish 403 from 401; name \
             the error or the missing grant; send denials with `no-store`; hide",
        )
        .asked(Outcome::Allow, Some(admin), 200, false)
        .asked(Outcome::Unauthenticated, None, 401, true)
        // Its only response to a caller that is not allowed.
        .asked(Outcome::Forbidden, Some(user), 401, true)
}
