use std::borrow::Cow;

use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

struct Name<'a>(Cow<'a, str>);

impl<'a, S: Sync> FromRequestParts<S> for Name<'a> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Name(Cow::Borrowed("a name")))
    }
}

#[requires(scope = "a")]
async fn explicit<'a>(name: Name<'a>) -> String {
    name.0.into_owned()
}

#[requires(scope = "a")]
async fn elided(name: Name<'_>, _: Query<Vec<(String, String)>>) -> String {
    name.0.into_owned()
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/explicit", get(explicit))
        .route("/elided", get(elided));
}
