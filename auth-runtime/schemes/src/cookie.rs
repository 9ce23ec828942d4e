//! Cookies that carry credentials.

use auth_runtime_core::cookies::cookies;
use auth_runtime_core::{ChallengeContext, ErrorCode, Rejection};
use auth_runtime_policy::scheme::is_token;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};

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

/// Returns the field that removes an invalid, expired or ambiguous cookie. It is not sent for
/// cross-site requests. Otherwise any site could log users out.
pub(crate) fn removal_field(
    removal: Option<&HeaderValue>,
    context: &ChallengeContext<'_>,
) -> Vec<(HeaderName, HeaderValue)> {
    let is_dead = matches!(
        context.error(),
        Some(
            ErrorCode::InvalidRequest
                | ErrorCode::InvalidToken(
                    Rejection::Invalid | Rejection::Malformed | Rejection::Expired
                )
        )
    );
    let removal = removal.filter(|_| is_dead).cloned();
    removal
        .map(|value| (SET_COOKIE, value))
        .into_iter()
        .collect()
}

/// Returns whether a request has at most one cookie that may be read as `name`, in the exact
/// spelling.
pub(crate) fn is_plain(headers: &HeaderMap, name: &str) -> bool {
    let mut read_as = cookies(headers).filter(|cookie| cookie.is_read_as(name));
    let first = read_as.next();
    first.is_none_or(|cookie| cookie.is_named(name) && read_as.next().is_none())
}
