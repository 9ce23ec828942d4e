//! Fields of a request that schemes read.

use http::{HeaderMap, HeaderName, HeaderValue};

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

/// Returns the value of a field if it is present. The value is `None` if the field occurs twice,
/// since its source is ambiguous then.
pub(crate) fn only_line<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Option<Option<&'h HeaderValue>> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?;
    Some(lines.next().is_none().then_some(first))
}
