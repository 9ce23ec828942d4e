//! The builder of sessions, and its errors.

use std::fmt;

use super::{IdentifyBySession, Sessions};
use crate::cookie::removal;
use crate::origin::{TrustedOrigins, TrustedOriginsError};

/// Builds [`Sessions`].
#[must_use]
pub struct SessionsBuilder {
    name: String,
    cookie: String,
    login_page: Option<String>,
    origins: Result<TrustedOrigins, TrustedOriginsError>,
    identify: IdentifyBySession,
}

impl SessionsBuilder {
    pub(super) fn new(identify: IdentifyBySession) -> Self {
        Self {
            name: "Cookie".to_owned(),
            cookie: "id".to_owned(),
            login_page: None,
            origins: Ok(TrustedOrigins::default()),
            identify,
        }
    }

    /// Sets the name of the cookie, the same as in the session layer, if there is one. Default: `id`, as
    /// in `tower-sessions`.
    ///
    /// Start it with `__Host-` if the whole service uses TLS. `__Secure-` is not a substitute:
    /// other hosts of the site can set a cookie of such a name, and a denial does not remove a
    /// cookie of another path or domain than the default.
    pub fn cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = name.into();
        self
    }

    /// Sets the name of the scheme, in its challenge and in `schemes("…")` of policies. Default: `Cookie`. The schemes of
    /// one space have different names.
    ///
    /// Two sessions in one space, such as those of customers and of staff, also have different cookies. A browser sends
    /// both. Two live logins are ambiguous (400) wherever both schemes are accepted, so each policy names one, for example
    /// by `schemes("Staff")`.
    pub fn scheme_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the login page: a path on this host, with an optional query. It has to be public.
    /// Default: none, and the response to callers without a login is 401.
    ///
    /// A page navigation of a browser receives a 303 to it in place of a 401. A navigation is a
    /// `GET` or `HEAD` with `Sec-Fetch-Mode: navigate`, or with an `Accept` that prefers HTML if
    /// the browser does not send that field. Scripts and programs still receive the 401, since they
    /// would process the login page as the requested data. Hidden pages stay hidden: the 404 does
    /// not change, and if the response on a hidden path is 401, such as for an ended session, it is
    /// the same on an unknown one.
    ///
    /// The page receives the return path as `next`, in the format of
    /// [`ReturnPath`](auth_runtime_core::ReturnPath). A return path of more than 2048 bytes in the query of the
    /// redirect is omitted, since proxies limit the size of a response's fields. If a newer or stronger login is required, it
    /// also receives `max_age` and `acr_values`, as in a request of OpenID Connect (Core §3.1.2.1).
    /// It then has to prompt users even if they are logged in, since a direct return would cause a
    /// redirect loop.
    pub fn login_page(mut self, page: impl Into<String>) -> Self {
        self.login_page = Some(page.into());
        self
    }

    /// Allows pages of another origin, such as `https://app.example`, to act for the sessions of
    /// their visitors. Can be called several times. Default: none.
    ///
    /// For their scripts to read the responses, CORS has to allow it as well. If the origin is of
    /// another site, the cookie has to be `SameSite=None`.
    pub fn trust_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins = self.origins.and_then(|origins| origins.trust(origin));
        self
    }

    /// Builds the scheme. The login page is checked later, by the builder of the space.
    ///
    /// # Errors
    ///
    /// [`SessionsError`] names the first invalid origin, or else the invalid cookie.
    pub fn build(self) -> Result<Sessions, SessionsError> {
        let origins = self.origins.map_err(SessionsError::Origin)?;
        let Some(removal) = removal(&self.cookie) else {
            return Err(SessionsError::Cookie(self.cookie));
        };
        Ok(Sessions {
            name: self.name,
            removal,
            cookie: self.cookie,
            login_page: self.login_page,
            origins,
            identify: self.identify,
        })
    }
}

/// An error of building [`Sessions`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionsError {
    /// The name is not valid for a cookie.
    Cookie(String),
    /// A trusted origin is not an origin.
    Origin(TrustedOriginsError),
}

impl fmt::Display for SessionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(name) => write!(f, "{name:?} is not a cookie name"),
            Self::Origin(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionsError {}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder")
            .field("name", &self.name)
            .field("cookie", &self.cookie)
            .field("login_page", &self.login_page)
            .finish_non_exhaustive()
    }
}
