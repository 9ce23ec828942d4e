//! axum without any guard.

use axum::Router;
use axum::routing::get;

use crate::authority::bearer;
use crate::contenders::ADMIN;
use crate::{App, Contender, Group, Outcome, PAGE, SHOWN};

async fn page() -> &'static str {
    PAGE
}

/// The hidden path is an unknown path here.
pub(crate) fn contender() -> Contender {
    let router = Router::new().route(SHOWN, get(page));
    Contender::new("unguarded", Group::Identity, App::Axum(router))
        .does_not("guard anything; its 404 is that of an unknown path")
        .asked(Outcome::Allow, Some(bearer(ADMIN)), 200, false)
        .asked(Outcome::Hidden, Some(bearer(ADMIN)), 404, false)
}
