//! The sessions of `tower-sessions` 0.14, with the login that [`Sessions::log_in`] keeps in them.

use std::sync::Arc;

use auth_runtime_core::cookies::cookies;
use auth_runtime_core::{Caller, Credentials, Identity, Verification};
use tower_sessions_core::session::Error;
use tower_sessions_core::{Session, SessionStore};

use super::cookie_layer::{SessionCookieLayer, Sifted, id_in};
use super::login::SessionLogin;
use super::{Sessions, SessionsBuilder};
use crate::cookie::is_plain;

impl Sessions {
    /// Starts with the sessions of [`tower-sessions`](https://docs.rs/tower-sessions/0.14) 0.14, the
    /// version of its current stores, and with the identities of [`log_in`](Self::log_in). A session of
    /// another version does not compile there, and is used by [`in_extension`](Self::in_extension).
    ///
    /// The layer of `tower-sessions` goes around the protected router. Without it, requests with the cookie
    /// receive 503, and the cause is logged. Around that goes the [`cookie_layer`](Self::cookie_layer), for
    /// browsers that send several cookies of the name. If several session layers enclose the router, the one
    /// of this cookie has to be the innermost: a request holds the session of that layer only, and a cookie
    /// that does not name it is rejected.
    ///
    /// The user is the identity that [`log_in`](Self::log_in) put into the session, with the roles of that
    /// moment. A service that reads roles anew for each request adds
    /// [`with_user`](auth_runtime_core::SchemeExt::with_user), with a function that removes the roles of the login by
    /// [`Identity::without_roles`].
    ///
    /// ```
    /// use auth_runtime::routing::{get, post};
    /// use auth_runtime::{Guard, GuardedRouter, Identity, ProtectionSpace, public, requires};
    /// use auth_runtime::schemes::Sessions;
    /// use axum::http::StatusCode;
    /// use axum::response::{Html, Redirect};
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
    /// #[public(reason = "callers log in here")]
    /// async fn login_page() -> Html<&'static str> {
    ///     Html(r#"<form method="post"> … </form>"#)
    /// }
    ///
    /// #[public(reason = "callers log in here")]
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
    ///     .route("/login", get(login_page).post(log_in))
    ///     .route("/logout", post(log_out))
    ///     .protect(space)?;
    /// // In addition to `Secure` and `HttpOnly`, which are its defaults.
    /// let layer = SessionManagerLayer::new(store)
    ///     .with_name(COOKIE)
    ///     .with_same_site(SameSite::Lax)
    ///     // From the last change of the session: here, from the login.
    ///     .with_expiry(Expiry::OnInactivity(Duration::hours(1)));
    /// # Ok(
    /// app.layer(layer).layer(cookies)
    /// # )
    /// # }
    /// ```
    ///
    /// The guide has [a complete login page](https://docs.rs/auth-runtime/latest/auth_runtime/guide/browsers/#login-page),
    /// with the return path and the layer against requests of other sites.
    ///
    /// # Several cookies
    ///
    /// The session layer takes the last cookie of the name, live or not. The
    /// [`cookie_layer`](Self::cookie_layer) looks up at most four of them in the store: cookies without a live
    /// session are ignored, and two of different live sessions are ambiguous, which leads to a 400. Names that
    /// equal the cookie's name only after decoding, or without surrounding spaces, are ignored.
    ///
    /// Without that layer, only the cookie that the session layer took is used, and only if its name is
    /// spelled exactly. A live session of another cookie is not found then.
    pub fn builder() -> SessionsBuilder {
        SessionsBuilder::new(Box::new(identify))
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
    /// The identity's [extensions](Identity::with_extension), its application and its expiry are not kept: the
    /// session ends by the expiry of its layer. Its binding to a key is not kept either, since a cookie is not bound.
    ///
    /// To log out, flush the session, which removes it from the store. The cookie is invalid from
    /// then on. The same response removes it from the browser. If its name starts with `__Host-` or
    /// `__Secure-`, the next 401 does.
    ///
    /// An exception: a request that is running during a logout or a login, and changes the session, stores it
    /// again under its old id, with its old login. The store for Redis does not.
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
    /// A session of another version of `tower-sessions` does not compile:
    ///
    /// ```compile_fail,E0308
    /// # use auth_runtime::Identity;
    /// # use auth_runtime::schemes::Sessions;
    /// # use tower_sessions_0_15 as tower_sessions;
    /// async fn log_in(session: tower_sessions::Session) {
    ///     let logged_in = Sessions::log_in(&session, &Identity::new("ann")).await;
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The store is unavailable, or the old session cannot be removed. The user is not logged in
    /// then.
    pub async fn log_in(session: &Session, identity: &Identity) -> Result<(), Error> {
        let before = session.get_value(SessionLogin::KEY).await?;
        if before.is_some_and(|before| !SessionLogin::is_of(identity, &before)) {
            session.clear().await;
        }
        session.cycle_id().await?;
        let login = SessionLogin::now(identity).to_value()?;
        session.insert_value(SessionLogin::KEY, login).await?;
        Ok(())
    }
}

/// Finds the caller of the session that the session layer has put into the request.
fn identify(cookie: &str, credentials: &Credentials<'_>) -> Verification {
    let Some(session) = credentials.extensions().get::<Session>().cloned() else {
        tracing::error!(
            "a request has a session's cookie and no session; add the `SessionManagerLayer` of \
             tower-sessions 0.14 around the protected router"
        );
        return Verification::done(Caller::unverifiable());
    };
    let is_plain = is_plain(credentials.headers(), cookie);
    let is_named = match Sifted::is_verifiable(credentials.extensions(), cookie) {
        Some(false) => return Verification::done(Caller::unverifiable()),
        // Each of them is live, and they are ambiguous.
        Some(true) if !is_plain => true,
        None if !is_plain => session.id() == id_in(credentials.value().as_bytes()),
        Some(true) | None => is_of_cookie(&session, credentials),
    };
    if !is_named {
        return Verification::done(Caller::rejected());
    }
    Verification::pending(async move {
        // Before its data is read, a session has the id that the cookie claims.
        let Ok(login) = session.get_value(SessionLogin::KEY).await else {
            // tower-sessions logs the reason.
            return Caller::unverifiable();
        };
        match session.id() {
            None => Caller::rejected(),
            Some(_) => login.map_or(Caller::Anonymous, |login| SessionLogin::caller(&login)),
        }
    })
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
