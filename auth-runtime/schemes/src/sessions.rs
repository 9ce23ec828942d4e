//! Browser sessions, identified by a cookie and stored by `tower-sessions`.

mod builder;
mod cookie_layer;
mod login;

use std::fmt;
use std::sync::Arc;

use auth_runtime_core::cookies::cookies;
use auth_runtime_core::{
    Caller, Challenge, ChallengeContext, ChallengeError, Credentials, ErrorCode, Identity,
    Rejection, Scheme, Source, Verification,
};
use http::header::SET_COOKIE;
use http::{Extensions, HeaderName, HeaderValue};
use tower_sessions_core::session::Error;
use tower_sessions_core::{Session, SessionStore};

pub use self::builder::{SessionsBuilder, SessionsError};
pub use self::cookie_layer::{SessionCookieLayer, SessionCookies};
use self::cookie_layer::{Sifted, id_in, is_plain};
use self::login::Login;
use crate::oauth;
use crate::origin::TrustedOrigins;

/// Browser sessions. The caller is the user of the live session that the cookie identifies.
///
/// The sessions are those of [`tower-sessions`](https://docs.rs/tower-sessions/0.14) 0.14, the version
/// that `axum-login` 0.18 uses. Its layer goes around the protected router. Without it, requests with
/// the cookie receive 503, and the cause is logged. Around that goes the
/// [`cookie_layer`](Self::cookie_layer), for browsers that send several cookies of the name. If several
/// session layers enclose the router, the one of this cookie has to be the innermost: a request holds
/// the session of that layer only, and a cookie that does not name it is rejected.
///
/// ```
/// use auth_runtime::routing::{get, post};
/// use auth_runtime::{Guard, GuardedRouter, Identity, ProtectionSpace, public, requires};
/// use auth_runtime::schemes::Sessions;
/// use axum::http::StatusCode;
/// use axum::response::Redirect;
/// use tower_sessions::cookie::{SameSite, time::Duration};
/// use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};
///
/// const COOKIE: &str = "__Host-session";
///
/// #[requires(authenticated)]
/// async fn account(guard: Guard) -> String {
///     format!("hello {}", guard.identity().subject())
/// }
///
/// #[public(reason = "whoever logs in is not logged in yet")]
/// async fn log_in(session: Session) -> Result<Redirect, StatusCode> {
///     // … once the password was verified:
///     let ann = Identity::new("ann").with_roles(["editor"]);
///     let logged_in = Sessions::log_in(&session, &ann).await;
///     logged_in.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
///     Ok(Redirect::to("/account"))
/// }
///
/// #[requires(authenticated)]
/// async fn log_out(session: Session) -> Result<Redirect, StatusCode> {
///     let flushed = session.flush().await;
///     flushed.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
///     Ok(Redirect::to("/"))
/// }
///
/// # fn app() -> Result<auth_runtime::ProtectedRouter, Box<dyn std::error::Error>> {
/// let store = MemoryStore::default();
/// let sessions = Sessions::builder().cookie(COOKIE).login_page("/login").build()?;
/// let cookies = sessions.cookie_layer(store.clone());
/// let space = ProtectionSpace::builder().realm("shop").scheme(sessions).build()?;
/// let app = GuardedRouter::new()
///     .route("/account", get(account))
///     .route("/login", post(log_in))
///     .route("/logout", post(log_out))
///     .protect(space)?;
/// // In addition to `Secure` and `HttpOnly`, which are its defaults.
/// let layer = SessionManagerLayer::new(store)
///     .with_name(COOKIE)
///     .with_same_site(SameSite::Lax)
///     .with_expiry(Expiry::OnInactivity(Duration::hours(1)));
/// # Ok(
/// app.layer(layer).layer(cookies)
/// # )
/// # }
/// ```
///
/// # Logged-in users
///
/// By default, the user is the identity that [`log_in`](Self::log_in) put into the session, with
/// the roles of that moment. A service that keeps other data there, or reads roles anew for each
/// request, sets [`identify`](SessionsBuilder::identify). That function also converts users of
/// `axum-login` to identities.
///
/// A live session without a login, such as one that only holds a shopping cart, makes its owner
/// anonymous. A cookie without a live session is rejected: the session has expired or was logged
/// out, or the cookie is forged. The response removes the cookie from the browser, so the rejection
/// occurs once, on a hidden and on an unknown path alike. Public pages, such as the login page, do
/// not verify the cookie.
///
/// If the session store is unavailable, the response is 503.
///
/// # 401 or login page
///
/// HTTP has no registered scheme for sessions. The challenge is `Cookie realm="…"`, after an
/// expired draft (draft-broyer-http-cookie-auth), and opens no password prompt. A policy refers to
/// the scheme as `schemes("Cookie")`. By default, every response to a caller without a login is a
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
/// session of its own. The session layer takes the last one, live or not. The
/// [`cookie_layer`](Self::cookie_layer) looks up at most four of them in the store: cookies without a live
/// session are ignored, and two of different live sessions are ambiguous, which leads to a 400. Names that
/// equal the cookie's name only after decoding, or without surrounding spaces, are ignored.
///
/// Without that layer, only the cookie that the session layer took is used, and only if its name is
/// spelled exactly. A live session of another cookie is not found then.
///
/// A 400 for ambiguous cookies, and a 401 for a cookie without a live session, remove the cookie
/// with the path `/` and no domain. No response can remove a cookie that another host of the site
/// has set.
///
/// # Other schemes
///
/// A cookie beside credentials of another accepted scheme, such as a token in `Authorization`, is
/// ignored: the browser adds it to every request of a script.
pub struct Sessions {
    cookie: String,
    /// The value of `Set-Cookie` that removes the cookie from the browser.
    removal: HeaderValue,
    login_page: Option<String>,
    origins: TrustedOrigins,
    identify: Identify,
}

/// The source of the identity.
enum Identify {
    /// The session itself, where [`Sessions::log_in`] has put it.
    Session,
    /// The service.
    Service(AskService),
}

/// Returns `None` if a layer is missing.
type AskService = Box<dyn Fn(&Extensions) -> Option<Verification> + Send + Sync>;

impl Sessions {
    /// Starts with the cookie `id`, the default of `tower-sessions`, with identities from
    /// [`log_in`](Self::log_in), and without a login page.
    pub fn builder() -> SessionsBuilder {
        SessionsBuilder::default()
    }

    /// Returns the layer to add around the session layer, with the same store. It finds the cookie
    /// of the live session if a browser sends several of the name.
    ///
    /// A request with one cookie of the name causes no look-up in this layer.
    ///
    /// ```
    /// # fn app(router: axum::Router) -> Result<axum::Router, Box<dyn std::error::Error>> {
    /// use auth_runtime::schemes::Sessions;
    /// use tower_sessions::{MemoryStore, SessionManagerLayer};
    ///
    /// let store = MemoryStore::default();
    /// let sessions = Sessions::builder().cookie("__Host-session").build()?;
    /// let cookies = sessions.cookie_layer(store.clone());
    /// let layer = SessionManagerLayer::new(store).with_name("__Host-session");
    /// let app = router.layer(layer).layer(cookies);
    /// # Ok(app)
    /// # }
    /// ```
    pub fn cookie_layer<Store: SessionStore>(&self, store: Store) -> SessionCookieLayer<Store> {
        SessionCookieLayer {
            cookie: self.cookie.as_str().into(),
            store: Arc::new(store),
        }
    }

    /// Logs `identity` in: puts it into the session, and gives the session a new id. The old id
    /// then gives no access, which prevents session fixation.
    ///
    /// Other data of the session is kept, unless another user was logged in. Call it again when the
    /// grants of the user change. The time of the login is now, by the clock of the system, unless the
    /// identity has an [`auth_time`](Identity::auth_time), such as the identity of a guard: `max_age`
    /// uses it.
    ///
    /// The identity's [extensions](Identity::with_extension) are not kept. Its binding to a key is
    /// not kept either, since a cookie is not bound.
    ///
    /// To log out, flush the session, which removes it from the store. The cookie is invalid from
    /// then on. The same response removes it from the browser. If its name starts with `__Host-` or
    /// `__Secure-`, the next 401 does.
    ///
    /// ```
    /// # use auth_runtime::Guard;
    /// # use auth_runtime::schemes::Sessions;
    /// # async fn promote(guard: Guard, session: tower_sessions::Session) -> Result<(), tower_sessions::session::Error> {
    /// let editor = guard.identity().clone().with_roles(["editor"]);
    /// Sessions::log_in(&session, &editor).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The store is unavailable, or the old session cannot be removed. The user is not logged in
    /// then.
    pub async fn log_in(session: &Session, identity: &Identity) -> Result<(), Error> {
        let before = session.get_value(Login::KEY).await?;
        if before.is_some_and(|before| !Login::is_of(identity, before)) {
            session.clear().await;
        }
        session.cycle_id().await?;
        session.insert(Login::KEY, Login::now(identity)).await
    }
}

impl Scheme for Sessions {
    fn name(&self) -> &str {
        "Cookie"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Cookie(self.cookie.clone())]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let Some(session) = credentials.extensions().get::<Session>().cloned() else {
            tracing::error!(
                "a request has a session's cookie and no session; add the `SessionManagerLayer` of \
                 tower-sessions 0.14 around the protected router"
            );
            return Verification::done(Caller::unverifiable());
        };
        if !self.origins.allow(credentials) {
            return Verification::done(Caller::Rejected(Rejection::InvalidProof));
        }
        let is_plain = is_plain(credentials.headers(), &self.cookie);
        let is_named = match Sifted::is_verifiable(credentials.extensions(), &self.cookie) {
            Some(false) => return Verification::done(Caller::unverifiable()),
            // Each of them is live, and they are ambiguous.
            Some(true) if !is_plain => true,
            None if !is_plain => session.id() == id_in(credentials.value().as_bytes()),
            Some(true) | None => is_of_cookie(&session, credentials),
        };
        if !is_named {
            return Verification::done(Caller::rejected());
        }
        let identification = match &self.identify {
            Identify::Session => None,
            Identify::Service(identify) => match identify(credentials.extensions()) {
                Some(identification) => Some(identification),
                None => return Verification::done(Caller::unverifiable()),
            },
        };
        Verification::pending(async move {
            // Before its data is read, a session has the id that the cookie claims.
            let Ok(login) = session.get_value(Login::KEY).await else {
                // tower-sessions logs the reason.
                return Caller::unverifiable();
            };
            match (session.id(), identification) {
                (None, _) => Caller::rejected(),
                (Some(_), Some(identification)) => identification.await,
                (Some(_), None) => login.map_or(Caller::Anonymous, Login::caller),
            }
        })
    }

    /// Returns a challenge with an error only if a newer or stronger login is required, in the
    /// terms of RFC 9470 §3.
    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        oauth::login_challenge(self.name(), context)
    }

    /// Returns the field that removes the cookie of an ended session, or an ambiguous cookie. The
    /// session layer removes only the cookie that it took, and does so without `Secure`. Browsers
    /// ignore such a removal for a `__Host-` name.
    ///
    /// It is not sent for cross-site requests. Otherwise any site could log users out.
    fn fields(&self, context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let goes = matches!(
            context.error(),
            Some(
                ErrorCode::InvalidRequest
                    | ErrorCode::InvalidToken(Rejection::Invalid | Rejection::Malformed)
            )
        );
        match goes {
            true => vec![(SET_COOKIE, self.removal.clone())],
            false => Vec::new(),
        }
    }

    fn supports_step_up(&self) -> bool {
        true
    }

    fn login_page(&self) -> Option<&str> {
        self.login_page.as_deref()
    }
}

/// Returns whether a session may be that of the only cookie of its name, and not that of another
/// session layer.
fn is_of_cookie(session: &Session, credentials: &Credentials<'_>) -> bool {
    let taken = session.id();
    let is_of_cookie = match id_in(credentials.value().as_bytes()) {
        Some(id) => taken == Some(id),
        // The session layer may sign or encrypt its cookie.
        None => {
            let mut others = cookies(credentials.headers());
            taken.is_none() || !others.any(|cookie| id_in(cookie.value()) == taken)
        }
    };
    if !is_of_cookie && taken.is_some() {
        tracing::warn!(
            "the session of a request is not that of its cookie: of several session layers, that of \
             the cookie has to be the innermost"
        );
    }
    is_of_cookie
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("cookie", &self.cookie)
            .field("login_page", &self.login_page)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
