//! Sessions of browsers, named by a cookie and kept by `tower-sessions`.

mod builder;
mod cookie_layer;
mod login;
mod origin;
mod return_path;

use std::fmt;
use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{Extensions, HeaderName, HeaderValue};
use tower_sessions_core::session::Error;
use tower_sessions_core::{Session, SessionStore};

pub use self::builder::{SessionsBuilder, SessionsError};
pub use self::cookie_layer::{SessionCookieLayer, SessionCookies};
use self::cookie_layer::{Sifted, id_in, is_plain};
use self::login::Login;
use self::origin::TrustedOrigins;
pub use self::return_path::ReturnPath;
use crate::caller::{Caller, Rejection};
use crate::challenge::{Challenge, ChallengeError};
use crate::identity::Identity;
use crate::scheme::{Credentials, Occasion, Problem, Scheme, Source, Verification};
use crate::schemes::oauth;

/// Sessions of browsers: whoever has the cookie of a live session in which somebody is logged in is
/// let in as that.
///
/// The sessions are those of [`tower-sessions`](https://docs.rs/tower-sessions/0.14) 0.14, the version
/// that `axum-login` 0.18 uses. Its layer goes around the protected router; without it, requests with
/// the cookie are answered 503, and the log says why. Around that goes the
/// [`cookie_layer`](Self::cookie_layer), for browsers that send several cookies of the name.
///
/// ```
/// use auth_runtime::routing::{get, post};
/// use auth_runtime::{Guard, GuardedRouter, Identity, ProtectionSpace, Sessions, public, requires};
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
/// // Besides `Secure` and `HttpOnly`, which it sets anyway.
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
/// # Who is logged in
///
/// By default, whom [`log_in`](Self::log_in) has put into the session, with the roles of that moment.
/// A service that keeps something else there, or that wants to look roles up anew for each request,
/// says so with [`identify`](SessionsBuilder::identify); that is also how users of `axum-login` become
/// identities.
///
/// A live session in which nobody is logged in, such as one that only holds a shopping cart, makes its
/// owner anonymous. A cookie that names no live session is rejected: it expired, was logged out or is
/// made up, and nobody remembers which. The answer removes it from the browser, so that this is told
/// once, on a hidden and on an unknown path alike, and no public page, such as that to log in on, asks
/// for it at all.
///
/// If the store of the sessions is out of order, the answer is 503.
///
/// # 401 or the page to log in on
///
/// HTTP has no registered scheme for sessions; the challenge is `Cookie realm="…"`, after a draft that
/// expired (draft-broyer-http-cookie-auth), and opens no password prompt. A policy names the scheme as
/// `schemes("Cookie")`. By default everybody who is not logged in gets it with a 401, which is the truth
/// and what programs understand. Where a [`login_page`](SessionsBuilder::login_page) is named, whoever
/// goes to a page is sent there instead.
///
/// # Requests that other sites make
///
/// A browser sends a cookie along whoever made it send the request (cross-site request forgery). So
/// for methods that change something, and for the handshake of a WebSocket, the cookie proves nothing
/// if the request comes from a page of another origin, a sibling host's included: such a request
/// is answered 401. The browser says it in `Sec-Fetch-Site`; an old one, or one on an unencrypted
/// connection, at least names the `Origin`, which then has to have the host that was asked. A request
/// with neither comes from no browser of this decade, and passes. Other origins that may act for their
/// visitors are named with [`trust_origin`](SessionsBuilder::trust_origin).
///
/// This holds for guarded handlers. Public ones get requests from wherever; for that to log in,
/// which another site could make its visitors submit with its own password, there is `CsrfLayer` in
/// `tower-http`, which goes by the same rules.
///
/// Besides, set `SameSite=Lax` or `Strict` on the cookie, and begin its name with `__Host-` where
/// everything is served by TLS: browsers keep other hosts of the site from setting one of that name.
/// Lax lets visitors in who follow a link from another site; with Strict, the default of `tower-sessions`,
/// they look as if they were not logged in.
///
/// # Several cookies of the name
///
/// A browser sends several cookies of one name if they were set for several paths or domains: by an
/// earlier version of the service, or by another host of the site, which may want visitors to act in a
/// session of its own. The session layer takes the last one, live or not. The
/// [`cookie_layer`](Self::cookie_layer) asks the store instead, about at most four of them: cookies of
/// no live session are ignored, and two of different live sessions are ambiguous, which is answered 400.
/// Names that are the cookie's name only to a library that decodes them, or trims spaces off them, are
/// ignored.
///
/// Without that layer, the one that the session layer took counts, and only if its name is spelled
/// as it should be. Then a live session that is not taken is not seen.
///
/// A 400 for ambiguous cookies, and a 401 for a cookie of no live session, remove the cookie of the path
/// `/` that has no domain. No answer can remove the cookie that another host of the site has set.
///
/// # Together with other schemes
///
/// A cookie beside credentials of another accepted scheme, such as a token in `Authorization`, is
/// ignored: the browser adds it to every request of a script.
pub struct Sessions {
    cookie: String,
    /// The value of `Set-Cookie` that takes the cookie out of the browser.
    removal: HeaderValue,
    login_page: Option<String>,
    origins: TrustedOrigins,
    identify: Identify,
}

/// Who says who is logged in.
enum Identify {
    /// The session itself, in which [`Sessions::log_in`] has put it.
    Session,
    /// The service.
    Service(AskService),
}

/// `None` where a layer is missing.
type AskService = Box<dyn Fn(&Extensions) -> Option<Verification> + Send + Sync>;

impl Sessions {
    /// Starts with the cookie `id`, as `tower-sessions` does, with those whom
    /// [`log_in`](Self::log_in) logs in, and without a page to do so on.
    pub fn builder() -> SessionsBuilder {
        SessionsBuilder::default()
    }

    /// The layer that goes around the session layer, with the same store: it finds the cookie of the live
    /// session where a browser sends several of the name.
    ///
    /// A request with one cookie of the name costs it no look-up.
    ///
    /// ```
    /// # fn app(router: axum::Router) -> Result<axum::Router, Box<dyn std::error::Error>> {
    /// use auth_runtime::Sessions;
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

    /// Logs `identity` in: puts it into the session, and gives the session a new id, so that nobody who
    /// knew the old one gets in along with it (session fixation).
    ///
    /// What the session holds is kept, unless it was somebody else's. Call it again when what they may
    /// do changes. A login happens now, unless the identity has an
    /// [`auth_time`](Identity::auth_time), as that of a guard has: `max_age` goes by it.
    ///
    /// Its [extensions](Identity::with_extension) are not kept, and neither is that it was bound to a
    /// key: a cookie is not.
    ///
    /// To log out, flush the session: that ends it in the store. The cookie, which is worth nothing then,
    /// leaves the browser with the same answer, or, if its name begins with `__Host-` or `__Secure-`, with
    /// the next 401.
    ///
    /// ```
    /// # use auth_runtime::{Guard, Sessions};
    /// # async fn promote(guard: Guard, session: tower_sessions::Session) -> Result<(), tower_sessions::session::Error> {
    /// let editor = guard.identity().clone().with_roles(["editor"]);
    /// Sessions::log_in(&session, &editor).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The store cannot be read, or does not give up the old session. Nobody is logged in then.
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
        if !self.origins.let_act(credentials) {
            return Verification::done(Caller::Rejected(Rejection::InvalidProof));
        }
        match Sifted::is_verifiable(credentials.extensions(), &self.cookie) {
            Some(true) => {}
            Some(false) => return Verification::done(Caller::unverifiable()),
            None => {
                let is_taken = || session.id() == id_in(credentials.value().as_bytes());
                if !is_plain(credentials.headers(), &self.cookie) && !is_taken() {
                    return Verification::done(Caller::rejected());
                }
            }
        }
        let identification = match &self.identify {
            Identify::Session => None,
            Identify::Service(identify) => match identify(credentials.extensions()) {
                Some(identification) => Some(identification),
                None => return Verification::done(Caller::unverifiable()),
            },
        };
        Verification::pending(async move {
            // Before it was read from, a session has the id that the cookie claims.
            let Ok(login) = session.get_value(Login::KEY).await else {
                // tower-sessions logs why.
                return Caller::unverifiable();
            };
            match (session.id(), identification) {
                (None, _) => Caller::rejected(),
                (Some(_), Some(identification)) => identification.await,
                (Some(_), None) => login.map_or(Caller::Anonymous, Login::caller),
            }
        })
    }

    /// What is wrong is told only where it takes a fresher or a stronger login, in the words of RFC
    /// 9470 §3.
    fn challenge(&self, occasion: &Occasion<'_>) -> Result<Challenge, ChallengeError> {
        let mut challenge = Challenge::builder(self.name());
        if let Some(realm) = occasion.realm() {
            challenge = challenge.quoted("realm", realm);
        }
        let problem = occasion.problem();
        if matches!(
            problem,
            Some(Problem::InsufficientUserAuthentication { .. })
        ) {
            challenge = challenge.quoted("error", "insufficient_user_authentication");
        }
        oauth::wanted_login(challenge, occasion).build()
    }

    /// Takes the cookie of a session that has ended, and one that is ambiguous, out of the browser. The
    /// session layer does that as well, but without `Secure`, which browsers do not believe of a
    /// `__Host-` name, and for the cookie only that it took.
    ///
    /// Not for what another site made the browser send, or any site could log people out.
    fn fields(&self, occasion: &Occasion<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let goes = matches!(
            occasion.problem(),
            Some(
                Problem::InvalidRequest
                    | Problem::InvalidToken(Rejection::Invalid | Rejection::Malformed)
            )
        );
        match goes {
            true => vec![(SET_COOKIE, self.removal.clone())],
            false => Vec::new(),
        }
    }

    fn challenge_varies(&self) -> bool {
        false
    }

    fn knows_login(&self) -> bool {
        true
    }

    fn login_page(&self) -> Option<&str> {
        self.login_page.as_deref()
    }
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
