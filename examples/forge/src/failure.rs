//! The errors of the service behind the guards, as opposed to denials.

use std::fmt;

use auth_runtime::Denied;
use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The result of a handler.
pub(crate) type Answer<T> = Result<T, Failure>;

/// An error of an authorized request.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The object does not exist, in a place that the caller may see.
    NotFound,
    /// The object exists already.
    Conflict,
    /// An extractor of axum cannot read the request.
    Malformed(StatusCode, String),
    /// The request is well-formed, but cannot be processed.
    Unprocessable(&'static str),
    /// The caller may not access this object. The denial is returned unchanged.
    Denied(Denied),
    /// The database failed. The log contains the cause.
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

macro_rules! rejections {
    ($($rejection:ident)*) => {
        $(impl From<$rejection> for Failure {
            fn from(rejection: $rejection) -> Self {
                Self::Malformed(rejection.status(), rejection.body_text())
            }
        })*
    };
}

rejections! { BytesRejection JsonRejection QueryRejection }

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is nothing here",
            Self::Conflict => "that is there already, or belongs to what is not",
            Self::Malformed(_, problem) => problem,
            Self::Unprocessable(problem) => problem,
            Self::Denied(_) => "denied",
            Self::Broken => "something is broken, and not on your side",
        })
    }
}

impl std::error::Error for Failure {}

impl IntoResponse for Failure {
    /// Responds with problem details (RFC 9457), like a denial.
    fn into_response(self) -> Response {
        let detail = self.to_string();
        let status = match self {
            Self::Denied(denied) => return denied.into_response(),
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Malformed(status, _) => status,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let title = status.canonical_reason();
        let problem = json!({ "status": status.as_u16(), "title": title, "detail": detail });
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(header::CONTENT_TYPE, kind)], Json(problem)).into_response()
    }
}
