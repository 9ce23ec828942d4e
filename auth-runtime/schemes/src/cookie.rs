//! Cookies that carry credentials.

use auth_runtime_policy::scheme::is_token;
use http::HeaderValue;

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
