use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};

pub struct Caller(pub String);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        token(parts).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

/// Anonymous callers have one as well.
pub struct MaybeCaller(pub Option<Caller>);

impl<S: Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        match Caller::from_request_parts(parts, state).await {
            Ok(caller) => Ok(Self(Some(caller))),
            Err(StatusCode::UNAUTHORIZED) => Ok(Self(None)),
            Err(other) => Err(other),
        }
    }
}

/// The name of the client, as it states it.
pub struct Stated(pub String);

impl<S: Sync> FromRequestParts<S> for Stated {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(token(parts).unwrap_or_default()))
    }
}

fn token(parts: &Parts) -> Option<String> {
    let token = parts.headers.get(header::AUTHORIZATION)?;
    Some(token.to_str().ok()?.to_owned())
}
