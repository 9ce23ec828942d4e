//! protect-axum 0.2: a function that returns the permissions of a request, and an attribute that
//! requires them.
#![allow(missing_docs, reason = "its attribute makes functions without them")]

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use protect_axum::{GrantsLayer, protect};

use crate::authority::bearer;
use crate::contenders::{ADMIN, SCOPE, USER};
use crate::{App, Contender, Group, Outcome, PAGE, SHOWN};

#[protect("admin")]
async fn shown() -> &'static str {
    PAGE
}

/// The users by their tokens. The extracting functions receive only the request.
static TABLE: LazyLock<HashMap<&str, &[&str]>> = LazyLock::new(|| {
    let admin: &[&str] = &["read", "write", SCOPE];
    HashMap::from([(ADMIN, admin), (USER, &["read", "write"])])
});

async fn extract(request: &mut Request) -> Result<HashSet<String>, Response> {
    let authorities = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .and_then(|token| TABLE.get(token));
    match authorities {
        Some(authorities) => Ok(authorities.iter().copied().map(str::to_owned).collect()),
        None => {
            let challenge = (header::WWW_AUTHENTICATE, r#"Bearer realm="bench""#);
            Err((StatusCode::UNAUTHORIZED, [challenge]).into_response())
        }
    }
}

pub(crate) fn contender() -> Contender {
    let router = Router::new()
        .route(SHOWN, get(shown))
        .layer(GrantsLayer::with_extractor(extract));
    Contender::new("protect-axum 0.2", Group::Identity, App::Axum(router))
        .does_not(
            "send a challenge (the 401 is that of the extractor); name the missing authority; \
             send denials with `no-store` or a body; hide",
        )
        .asked(Outcome::Allow, Some(bearer(ADMIN)), 200, false)
        .asked(Outcome::Unauthenticated, None, 401, true)
        .asked(Outcome::Forbidden, Some(bearer(USER)), 403, false)
}
