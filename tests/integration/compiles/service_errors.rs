use auth_runtime::routing::get;
use auth_runtime::{Denied, Guard, GuardedRouter, requires};
use axum::response::{IntoResponse, Response};

enum Error {
    Denied(Denied),
    Broken,
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Denied(denied) => denied.into_response(),
            Self::Broken => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

#[requires(authenticated, hide_as = 404)]
async fn handler(guard: Guard) -> Result<&'static str, Error> {
    guard.permit(guard.identity().has_role("owner"))?;
    if true {
        Ok("yours")
    } else {
        Err(Error::Broken)
    }
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", get(handler));
}
