//! Fields that carry credentials of a scheme of their own.

use http::HeaderName;

/// Fields with another meaning, or that intermediaries add.
const UNSUITABLE: [&str; 9] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "host",
    "accept",
    "content-type",
    "content-length",
    "connection",
    "sec-websocket-protocol",
];

/// Returns the field of that name; `None` if it is not a name, or has another meaning.
pub(crate) fn credential_field(name: &str) -> Option<HeaderName> {
    let field = HeaderName::try_from(name).ok()?;
    (!UNSUITABLE.contains(&field.as_str())).then_some(field)
}
