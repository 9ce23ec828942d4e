//! The builder of sessions, and its errors.

use std::any::type_name;
use std::fmt;
use std::future::Future;

use auth_runtime_core::{Caller, Verification};

use super::{IdentifyBySession, Sessions};
use crate::cookie::{is_plain, removal};
use crate::origin::{TrustedOrigins, TrustedOriginsError};

impl Sessions {
    /// Starts with a function that looks up the value of the cookie: in the service's own table of sessions,
    /// or by a signature.
    ///
    /// A table should store the hash of the value, so that neither the time of the look-up nor a leaked table
    /// reveals sessions.
    ///
    /// ```
    /// use auth_runtime::{Caller, Identity};
    /// use auth_runtime::schemes::Sessions;
    ///
    /// # enum Row { LoggedIn(String), Cart }
    /// # async fn find(_: String) -> Result<Option<Row>, std::io::Error> { Ok(None) }
    /// let sessions = Sessions::look_up(async |value| match find(value).await {
    ///     Ok(Some(Row::LoggedIn(user))) => Caller::known(Identity::new(user)),
    ///     Ok(Some(Row::Cart)) => Caller::Anonymous,
    ///     Ok(None) => Caller::rejected(),
    ///     Err(error) => {
    ///         tracing::error!(%error, "sessions cannot be looked up");
    ///         Caller::unverifiable()
    ///     }
    /// });
    /// let sessions = sessions.cookie("__Host-session").login_page("/login").build()?;
    /// # Ok::<(), auth_runtime::schemes::SessionsError>(())
    /// ```
    pub fn look_up<F>(look_up: impl Fn(String) -> F + Send + Sync + 'static) -> SessionsBuilder
    where
        F: Future<Output: Into<Caller>> + Send + 'static,
    {
        SessionsBuilder::new(Box::new(move |_, credentials| {
            Verification::pending(look_up(credentials.value().to_owned()))
        }))
    }

    /// Starts with a function of the session that a layer has added to the extensions of the request, by its
    /// type: the `AuthSession<…>` of `axum-login`, the `Session` of `tower-sessions` or of `axum_session`.
    ///
    /// That layer goes around the protected router, and has the same cookie. Without it, requests with the
    /// cookie receive 503, and the missing type is logged.
    ///
    /// ```
    /// # use auth_runtime::{Caller, Identity};
    /// # use auth_runtime::schemes::Sessions;
    /// # #[derive(Clone)] struct User { name: String, roles: Vec<String> }
    /// # #[derive(Clone)] struct Backend;
    /// # #[derive(Clone)] struct Session;
    /// # impl Session { fn id(&self) -> Option<u128> { None } }
    /// # #[derive(Clone)] struct AuthSession<B> { user: Option<User>, session: Session, backend: B }
    /// let sessions = Sessions::in_extension(async |auth: AuthSession<Backend>| match auth.user {
    ///     Some(user) => Caller::known(Identity::new(user.name).with_roles(user.roles)),
    ///     // The session has ended.
    ///     None if auth.session.id().is_none() => Caller::rejected(),
    ///     None => Caller::Anonymous,
    /// });
    /// let sessions = sessions.cookie("__Host-session").build()?;
    /// # Ok::<(), auth_runtime::schemes::SessionsError>(())
    /// ```
    pub fn in_extension<T, F>(identify: impl Fn(T) -> F + Send + Sync + 'static) -> SessionsBuilder
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output: Into<Caller>> + Send + 'static,
    {
        SessionsBuilder::new(Box::new(move |cookie, credentials| {
            let Some(session) = credentials.extensions().get::<T>().cloned() else {
                tracing::error!(
                    "a request has a session's cookie and no `{}`; add the layer that provides it \
                     around the protected router, in the same version",
                    type_name::<T>(),
                );
                return Verification::done(Caller::unverifiable());
            };
            if is_plain(credentials.headers(), cookie) {
                Verification::pending(identify(session))
            } else {
                Verification::done(Caller::rejected())
            }
        }))
    }
}

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
    ///
    /// The path is the one that browsers request. `next` is the path that the service receives: behind a gateway that
    /// removes a prefix, the page puts the prefix before it.
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
