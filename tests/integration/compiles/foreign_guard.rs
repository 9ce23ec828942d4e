use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

mod limits {
    pub struct Guard;
}

impl<S: Sync> FromRequestParts<S> for limits::Guard {
    type Rejection = ();

    async fn from_request_parts(_head: &mut Parts, _state: &S) -> Result<Self, ()> {
        Ok(Self)
    }
}

#[requires(role = "admin")]
async fn alone(_limit: limits::Guard) {}

#[requires(role = "admin")]
async fn together(guard: Guard, _limit: limits::Guard) -> String {
    guard.identity().subject().to_owned()
}

macro_rules! handler {
    ($name:ident, $guard:ty) => {
        #[requires(role = "admin")]
        async fn $name(guard: $guard) -> String {
            guard.identity().subject().to_owned()
        }
    };
}

handler!(written, Guard);

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/alone", get(alone))
        .route("/together", get(together))
        .route("/written", get(written));
}
