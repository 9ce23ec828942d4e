//! Browser sessions, identified by a cookie.

mod builder;
#[cfg(feature = "sessions")]
mod cookie_layer;
#[cfg(feature = "sessions")]
mod login;
#[cfg(feature = "sessions")]
mod tower_sessions;

use std::fmt;

use auth_runtime_core::{
    Caller, Challenge, ChallengeContext, ChallengeError, Credentials, Rejection, Scheme, Source,
    Verification,
};
use http::{HeaderName, HeaderValue};

pub use self::builder::{SessionsBuilder, SessionsError};
#[cfg(feature = "sessions")]
pub use self::cookie_layer::{SessionCookieLayer, SessionCookies};
use crate::cookie::removal_field;
use crate::login_challenge::login_challenge;
use crate::origin::TrustedOrigins;

/// Browser sessions of any kind. The caller is the user of the live session that a cookie identifies.
///
/// | sessions | constructor |
/// |---|---|
/// | rows of the service's own table, signed values | [`look_up`](Self::look_up): a function of the value |
/// | `axum-login`, `axum_session`, any version of `tower-sessions` | [`in_extension`](Self::in_extension): a function of the session that their layer adds to the request |
/// | `tower-sessions` 0.14, with the login kept by this crate | [`builder`](Self::builder), with the feature `sessions` |
///
/// The [guide](https://docs.rs/auth-runtime/latest/auth_runtime/guide/browsers) has a recipe for each library.
///
/// A function returns [`Caller::Anonymous`] for a live session without a login, such as one that only holds
/// a shopping cart, [`Caller::rejected`] for a session that has ended, and [`Caller::unverifiable`] if the
/// store is unavailable: the response is 503. It adds the time of the login by
/// [`with_auth_time`](auth_runtime_core::Identity::with_auth_time): without it, no login meets `max_age`.
///
/// The response to a rejected cookie removes it from the browser, so the rejection occurs once, on a hidden and
/// on an unknown path alike. The removal is `SameSite=Lax`, and browsers ignore it in responses to scripts of
/// another site: there, the rejection recurs until the next login. Public pages, such as the login page, do
/// not verify the cookie.
///
/// # 401 or login page
///
/// HTTP has no registered scheme for sessions. The challenge is `Cookie realm="…"`, after an
/// expired draft (draft-broyer-http-cookie-auth), and opens no password prompt. A policy refers to
/// the scheme as `schemes("Cookie")`, or by another [name](SessionsBuilder::scheme_name). By default, every response to a caller without a login is a
/// 401 with this challenge, which is correct and works for programs. With a
/// [`login_page`](SessionsBuilder::login_page), page navigations are redirected to it instead.
///
/// # Cross-site requests
///
/// A browser also sends the cookie with requests that another site causes (cross-site request
/// forgery). Therefore the cookie is rejected with a 401 if a request comes from a page of another
/// origin, including a sibling host. This applies to methods that change state, and to the
/// handshake of a WebSocket. The browser states the origin in `Sec-Fetch-Site`. An old browser, or
/// one on an unencrypted connection, sends at least `Origin`, and its host then has to be the
/// requested one. A request with neither field does not come from a current browser, and is
/// accepted. [`trust_origin`](SessionsBuilder::trust_origin) names other origins that may act for
/// their visitors.
///
/// This applies to guarded handlers. Public handlers accept requests from every origin. For a
/// public login form, which another site could make its visitors submit with that site's own
/// password, use `CsrfLayer` of `tower-http`, which has the same rules.
///
/// In addition, set `SameSite=Lax` or `Strict` on the cookie. If the whole service uses TLS, start
/// its name with `__Host-`: browsers prevent other hosts of the site from setting such a cookie.
/// With Lax, visitors are logged in after following a link from another site. With Strict, the
/// default of `tower-sessions`, they appear not to be.
///
/// # Several cookies
///
/// A browser sends several cookies of one name if they were set for several paths or domains: by an
/// earlier version of the service, or by another host of the site, which may want visitors to act in a
/// session of its own. With [`look_up`](Self::look_up), each of the last four different values is looked up:
/// rejected ones are ignored, and two of live sessions are ambiguous, which leads to a 400. With
/// [`in_extension`](Self::in_extension), the session layer takes one of them, and which one is unknown:
/// all are rejected. Other spellings of the name count as well, such as percent-encoded ones, since the
/// session layer may decode them. A name that starts with
/// `__Host-` is set by this host only, and for one path.
///
/// A 400 for ambiguous cookies, and a 401 for a rejected cookie, remove the cookie with the path `/` and no
/// domain. No response can remove a cookie that another host of the site has set: after a 400, it may be the only
/// one that remains, and the next request then acts in its session. A name that starts with `__Host-` prevents this.
///
/// # Other schemes
///
/// A cookie beside credentials of another accepted scheme, such as a token in `Authorization`, is
/// ignored: the browser adds it to every request of a script.
pub struct Sessions {
    name: String,
    cookie: String,
    /// The value of `Set-Cookie` that removes the cookie from the browser.
    removal: HeaderValue,
    login_page: Option<String>,
    origins: TrustedOrigins,
    identify: IdentifyBySession,
}

/// Finds the caller of the session that a cookie identifies. The first argument is the name of the cookie.
type IdentifyBySession = Box<dyn Fn(&str, &Credentials<'_>) -> Verification + Send + Sync>;

impl Scheme for Sessions {
    fn name(&self) -> &str {
        &self.name
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Cookie(self.cookie.clone())]
    }

    fn request_fields(&self) -> Vec<HeaderName> {
        self.origins.request_fields()
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        if self.origins.allow(credentials) {
            (self.identify)(&self.cookie, credentials)
        } else {
            Verification::done(Caller::Rejected(Rejection::InvalidProof))
        }
    }

    /// Returns a challenge with an error only if a newer or stronger login is required, in the
    /// terms of RFC 9470 §3.
    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        login_challenge(self.name(), context)
    }

    /// Returns the field that removes the cookie of an ended session, or an ambiguous cookie. The
    /// session layer removes only the cookie that it took, and does so without `Secure`. Browsers
    /// ignore such a removal for a `__Host-` name.
    fn fields(&self, context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        removal_field(Some(&self.removal), context)
    }

    fn supports_step_up(&self) -> bool {
        true
    }

    fn login_page(&self) -> Option<&str> {
        self.login_page.as_deref()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("name", &self.name)
            .field("cookie", &self.cookie)
            .field("login_page", &self.login_page)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
