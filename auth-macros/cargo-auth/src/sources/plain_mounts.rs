//! The handlers, services and routers that plain axum routers mount, which require no policy.

mod added;
mod body;
mod on_plain_router;
mod unguarded;
mod variables;

pub(super) use self::body::Body;
pub(super) use self::unguarded::findings;
