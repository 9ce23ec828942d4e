//! Cookies that carry credentials.

use auth_runtime_core::cookies::cookies;
use auth_runtime_policy::scheme::is_token;
use http::{HeaderMap, HeaderValue};

/// Returns the value of `Set-Cookie` that removes a cookie of that name from a browser; `None` if no
/// cookie can have the name.
///
/// For a name with one of the two prefixes, browsers require `Secure`. For any other name without TLS,
/// they require its absence.
pub(crate) fn removal(cookie: &str) -> Option<HeaderValue> {
    if !is_token(cookie) {
        return None;
    }
    let name = cookie.to_ascii_lowercase();
    let is_secure = name.starts_with("__host-") || name.starts_with("__secure-");
    let secure = if is_secure { "Secure; " } else { "" };
    let removal = format!("{cookie}=; Path=/; Max-Age=0; {secure}HttpOnly; SameSite=Lax");
    HeaderValue::try_from(removal).ok()
}

/// Returns whether a request has at most one cookie that may be read as `name`, in the exact
/// spelling.
pub(crate) fn is_plain(headers: &HeaderMap, name: &str) -> bool {
    let mut read_as = cookies(headers).filter(|cookie| cookie.is_read_as(name));
    let first = read_as.next();
    first.is_none_or(|cookie| cookie.is_named(name) && read_as.next().is_none())
}
