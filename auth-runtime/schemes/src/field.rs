//! Fields of a request that schemes read.

use auth_runtime_core::{Credentials, TrustedProxies};
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

/// Returns whether the peer is one of the proxies, so that `field` counts. Logs why it does not.
pub(crate) fn is_from_proxy(
    proxies: &TrustedProxies,
    credentials: &Credentials<'_>,
    field: &HeaderName,
) -> bool {
    let Some(address) = credentials.peer() else {
        tracing::error!(
            "the field `{field}` comes from a proxy, and the server does not provide the address of the \
             peer: serve with `into_make_service_with_connect_info::<SocketAddr>()`"
        );
        return false;
    };
    let is_proxy = proxies.contains(address.ip());
    if !is_proxy {
        tracing::debug!(
            "the field `{field}` from {} is ignored: that is not the address of a proxy",
            address.ip()
        );
    }
    is_proxy
}
