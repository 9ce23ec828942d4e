//! What sessions are made of, and what can be wrong with it.

use std::fmt;
use std::future::Future;

use http::{Extensions, HeaderValue};

use super::origin::TrustedOrigins;
use super::{Identify, Sessions};
use crate::caller::Caller;
use crate::challenge::is_token;
use crate::scheme::Verification;

/// Collects what [`Sessions`] are made of.
#[must_use]
pub struct SessionsBuilder {
    cookie: String,
    login_page: Option<String>,
    origins: TrustedOrigins,
    error: Option<SessionsError>,
    identify: Identify,
}

impl Default for SessionsBuilder {
    fn default() -> Self {
        Self {
            cookie: "id".to_owned(),
            login_page: None,
            origins: TrustedOrigins::default(),
            error: None,
            identify: Identify::Session,
        }
    }
}

impl SessionsBuilder {
    /// The name of the cookie: that which the session layer was given. Default: `id`, as there.
    ///
    /// Begin it with `__Host-` where everything is served by TLS. `__Secure-` is no substitute: other
    /// hosts of the site can set a cookie of such a name, and a cookie of another path or domain than
    /// the default does not leave the browser with a denial.
    pub fn cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = name.into();
        self
    }

    /// The page to log in on: a path on this host, with a query if need be. Default: none, and
    /// everybody who is not logged in gets a 401.
    ///
    /// Whoever goes to a page with a browser (`GET` or `HEAD`, with `Sec-Fetch-Mode: navigate`, or with
    /// an `Accept` that prefers HTML if the browser does not say) is answered 303 to it in place of a
    /// 401; scripts and programs still get the 401, since they would take the page to log in on for
    /// what they asked for. Hidden pages stay hidden: the 404 stays what it is, and where a hidden path
    /// answers 401, as to a session that has ended, an unknown one does the same.
    ///
    /// The page gets the way back as `next`, in the form that [`ReturnPath`](crate::ReturnPath) reads;
    /// and, where somebody has to log in again, or more strongly, `max_age` and `acr_values`, as in a
    /// request of OpenID Connect (Core §3.1.2.1). Then it has to ask even those who are logged in, as
    /// sending them back would send them around in circles. It has to be public.
    pub fn login_page(mut self, page: impl Into<String>) -> Self {
        self.login_page = Some(page.into());
        self
    }

    /// Lets pages of another origin, such as `https://app.example`, act for the sessions of their
    /// visitors; may be given more than once. Default: none.
    ///
    /// For their scripts to read the answers, CORS has to allow it as well; and the cookie has to
    /// be `SameSite=None` if the origin is of another site.
    pub fn trust_origin(mut self, origin: impl Into<String>) -> Self {
        if let Err(origin) = self.origins.add(origin.into()) {
            self.error.get_or_insert(SessionsError::Origin(origin));
        }
        self
    }

    /// Says who is logged in, for each request with the cookie of a live session. Default: whom
    /// [`Sessions::log_in`] has logged in.
    ///
    /// `identify` is given what a layer has found out about the request, by its type: the `Session` of
    /// `tower-sessions`, or the `AuthSession<…>` of `axum-login`. If nobody is logged in, it says
    /// [`Caller::Anonymous`]; if what it asks is out of order, [`Caller::Unverifiable`].
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// use auth_runtime::{Caller, Identity, Sessions};
    /// use tower_sessions::Session;
    ///
    /// # async fn roles_of(_: &str) -> Result<Vec<String>, Infallible> { Ok(Vec::new()) }
    /// let sessions = Sessions::builder().identify(async |session: Session| {
    ///     let user = match session.get::<String>("user").await {
    ///         Ok(Some(user)) => user,
    ///         Ok(None) => return Caller::Anonymous,
    ///         Err(_) => return Caller::unverifiable(),
    ///     };
    ///     match roles_of(&user).await {
    ///         Ok(roles) => Caller::known(Identity::new(user).with_roles(roles)),
    ///         Err(_) => Caller::unverifiable(),
    ///     }
    /// });
    /// ```
    ///
    /// With `axum-login`, whose layer has to be around the protected router then:
    ///
    /// ```
    /// # use auth_runtime::{Caller, Identity, Sessions};
    /// # #[derive(Clone)] struct User { name: String, roles: Vec<String> }
    /// # #[derive(Clone)] struct Backend;
    /// # #[derive(Clone)] struct AuthSession<B> { user: Option<User>, backend: B }
    /// let sessions = Sessions::builder().identify(async |auth: AuthSession<Backend>| match auth.user {
    ///     Some(user) => {
    ///         let identity = Identity::new(&user.name).with_roles(user.roles.clone());
    ///         Caller::known(identity.with_extension(user))
    ///     }
    ///     None => Caller::Anonymous,
    /// });
    /// ```
    pub fn identify<T, F>(mut self, identify: impl Fn(T) -> F + Send + Sync + 'static) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Caller> + Send + 'static,
    {
        self.identify = by(identify);
        self
    }

    /// Checks everything but the page to log in on, which the space does that sends people there.
    ///
    /// # Errors
    ///
    /// [`SessionsError`] says what is wrong.
    pub fn build(self) -> Result<Sessions, SessionsError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if !is_token(&self.cookie) {
            return Err(SessionsError::Cookie(self.cookie));
        }
        let removal = removal(&self.cookie);
        let Ok(removal) = HeaderValue::try_from(removal) else {
            return Err(SessionsError::Cookie(self.cookie));
        };
        Ok(Sessions {
            removal,
            cookie: self.cookie,
            login_page: self.login_page,
            origins: self.origins,
            identify: self.identify,
        })
    }
}

/// The field value that takes a cookie of that name out of a browser. Browsers believe it of a name with
/// one of the two prefixes only with `Secure`, and of any other name without TLS only without.
fn removal(cookie: &str) -> String {
    let name = cookie.to_ascii_lowercase();
    let is_secure = name.starts_with("__host-") || name.starts_with("__secure-");
    let secure = if is_secure { "Secure; " } else { "" };
    format!("{cookie}=; Path=/; Max-Age=0; {secure}HttpOnly; SameSite=Lax")
}

fn by<T, F>(identify: impl Fn(T) -> F + Send + Sync + 'static) -> Identify
where
    T: Clone + Send + Sync + 'static,
    F: Future<Output = Caller> + Send + 'static,
{
    Identify::Service(Box::new(move |extensions: &Extensions| {
        let Some(found) = extensions.get::<T>().cloned() else {
            tracing::error!(
                "a request has no `{}` to say who is logged in; add the layer that provides it \
                 around the protected router",
                std::any::type_name::<T>(),
            );
            return None;
        };
        Some(Verification::pending(identify(found)))
    }))
}

/// What keeps [`Sessions`] from being built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionsError {
    /// No cookie can have this name.
    Cookie(String),
    /// This is no origin, such as `https://app.example`.
    Origin(String),
}

impl fmt::Display for SessionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(name) => write!(f, "no cookie can have the name {name:?}"),
            Self::Origin(origin) => write!(
                f,
                "{origin:?} is no origin; write scheme and host as a browser does, such as \
                 `https://app.example`",
            ),
        }
    }
}

impl std::error::Error for SessionsError {}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder")
            .field("cookie", &self.cookie)
            .field("login_page", &self.login_page)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
