//! What goes wrong behind the guards: the service's own errors, apart from denials.

use std::fmt;

use auth_runtime::Denied;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, Failure>;

/// Why a request that was let in cannot be answered as it wants.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such thing, in a place that the caller may look at.
    NotFound,
    /// It is there already.
    Conflict,
    /// It is well-formed, and means nothing that can be done.
    Unprocessable(&'static str),
    /// Not this object. The framework's answer, which is passed on as it is.
    Denied(Denied),
    /// The database does not do what it should, and the log says why.
    Broken,
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::ConstraintViolation;
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            error if error.sqlite_error_code() == Some(ConstraintViolation) => Self::Conflict,
            error => {
                tracing::error!(%error, "the database failed");
                Self::Broken
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is nothing here",
            Self::Conflict => "that is there already, or belongs to what is not",
            Self::Unprocessable(problem) => problem,
            Self::Denied(_) => "denied",
            Self::Broken => "something is broken, and not on your side",
        })
    }
}

impl std::error::Error for Failure {}

impl IntoResponse for Failure {
    /// As a problem detail (RFC 9457), like denials.
    fn into_response(self) -> Response {
        let detail = self.to_string();
        let status = match self {
            Self::Denied(denied) => return denied.into_response(),
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let title = status.canonical_reason();
        let problem = json!({ "status": status.as_u16(), "title": title, "detail": detail });
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(header::CONTENT_TYPE, kind)], Json(problem)).into_response()
    }
}
