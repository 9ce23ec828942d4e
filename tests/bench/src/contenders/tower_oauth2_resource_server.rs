//! tower-oauth2-resource-server 0.12: a layer that verifies tokens. The handler checks the scopes.

use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use serde::Deserialize;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

use crate::authority::{AUDIENCE, Authority, ISSUER, bearer};
use crate::contenders::{ADMIN_SCOPES, SCOPE, USER_SCOPES};
use crate::{App, Contender, Group, Outcome, PAGE, SHOWN};

#[derive(Clone, Deserialize)]
struct Granted {
    #[expect(dead_code, reason = "a service wants to know who calls")]
    sub: String,
    scope: String,
}

async fn shown(Extension(claims): Extension<Granted>) -> Result<&'static str, StatusCode> {
    match claims.scope.split(' ').any(|scope| scope == SCOPE) {
        true => Ok(PAGE),
        false => Err(StatusCode::FORBIDDEN),
    }
}

pub(crate) async fn contender(authority: &Authority) -> Contender {
    let spec = ClaimsValidationSpec::new()
        .iss(ISSUER)
        .exp(true)
        .aud(&vec![AUDIENCE.to_owned()]);
    let tenant = TenantConfiguration::static_builder(authority.key_set()).claims_validation(spec);
    let server = OAuth2ResourceServer::<Granted>::builder()
        .add_tenant(tenant.build().expect("a tenant"))
        .build()
        .await
        .expect("a resource server");
    let router = Router::new()
        .route(SHOWN, get(shown))
        .layer(server.into_layer());
    let admin = bearer(&authority.token(ADMIN_SCOPES));
    let user = bearer(&authority.token(USER_SCOPES));
    Contender::new(
        "tower-oauth2-resource-server 0.12",
        Group::Jwt,
        App::Axum(router),
    )
    .does_not(
        "name a realm or a scope in its challenge; send a challenge for an invalid token; \
             check scopes (the handler does, and responds with an empty 403); send denials with \
             `no-store` or a body; hide",
    )
    .asked(Outcome::Allow, Some(admin), 200, false)
    .asked(Outcome::Unauthenticated, None, 401, true)
    .asked(Outcome::Forbidden, Some(user), 403, false)
}
