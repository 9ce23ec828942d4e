//! The selection of the session cookie, before the session layer reads it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth_runtime_core::cookies;
use auth_runtime_core::cookies::{Cookie, cookies};
use http::header::COOKIE;
use http::{Extensions, HeaderMap, HeaderValue, Request};
use percent_encoding::percent_decode;
use tower::{Layer, Service};
use tower_sessions_core::session::Id;
use tower_sessions_core::{Session, SessionStore, session_store};

use crate::cookie::is_plain;

/// Finds the cookie of the live session if a browser sends several of the session's name. Created
/// by [`Sessions::cookie_layer`](super::Sessions::cookie_layer).
pub struct SessionCookieLayer<Store> {
    pub(super) cookie: Arc<str>,
    pub(super) store: Arc<Store>,
}

/// The service of a [`SessionCookieLayer`].
pub struct SessionCookies<S, Store> {
    inner: S,
    cookie: Arc<str>,
    store: Arc<Store>,
}

/// The result of a [`SessionCookieLayer`] that a request has passed.
#[derive(Clone)]
pub(super) struct Sifted {
    cookie: Arc<str>,
    /// True if the store reported the live sessions. Also true if no query was necessary.
    is_verifiable: bool,
    /// The result of a layer for another cookie.
    outer: Option<Arc<Sifted>>,
}

impl Sifted {
    /// Returns whether the store reported the live sessions. `None` without a layer for that
    /// cookie.
    pub(super) fn is_verifiable(extensions: &Extensions, cookie: &str) -> Option<bool> {
        let mut sifted = extensions.get::<Self>();
        while let Some(layer) = sifted {
            if *layer.cookie == *cookie {
                return Some(layer.is_verifiable);
            }
            sifted = layer.outer.as_deref();
        }
        None
    }
}

impl<Store> Clone for SessionCookieLayer<Store> {
    fn clone(&self) -> Self {
        Self {
            cookie: Arc::clone(&self.cookie),
            store: Arc::clone(&self.store),
        }
    }
}

impl<S: Clone, Store> Clone for SessionCookies<S, Store> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            cookie: Arc::clone(&self.cookie),
            store: Arc::clone(&self.store),
        }
    }
}

impl<S, Store> Layer<S> for SessionCookieLayer<Store> {
    type Service = SessionCookies<S, Store>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionCookies {
            inner,
            cookie: Arc::clone(&self.cookie),
            store: Arc::clone(&self.store),
        }
    }
}

impl<S, Store, Body> Service<Request<Body>> for SessionCookies<S, Store>
where
    S: Service<Request<Body>> + Clone + Send + 'static,
    S::Future: Send,
    Store: SessionStore,
    Body: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let headers = request.headers();
        if is_plain(headers, &self.cookie) {
            mark(request.extensions_mut(), &self.cookie, true);
            return Box::pin(self.inner.call(request));
        }
        if is_taken(&request, &self.cookie) {
            tracing::error!(
                "the cookie layer of `Sessions` is inside the session layer; add it after the \
                 session layer"
            );
            return Box::pin(self.inner.call(request));
        }
        let values: Vec<Vec<u8>> = cookies::values(headers, &self.cookie)
            .map(<[u8]>::to_vec)
            .collect();
        // The clone serves the next request. The service that was polled ready serves this one.
        let inner = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, inner);
        let (cookie, store) = (Arc::clone(&self.cookie), Arc::clone(&self.store));
        Box::pin(async move {
            let live = live(&values, &*store).await;
            mark(request.extensions_mut(), &cookie, live.is_ok());
            if let Err(error) = &live {
                tracing::error!(%error, "the session store is not available");
            }
            let kept = match &live {
                Ok(live) if !live.is_empty() => live.as_slice(),
                // The session layer takes the last one.
                _ => values.last().map_or(&[][..], std::slice::from_ref),
            };
            keep_only(request.headers_mut(), &cookie, kept);
            inner.call(request).await
        })
    }
}

fn mark(extensions: &mut Extensions, cookie: &Arc<str>, is_verifiable: bool) {
    let outer = extensions.remove::<Sifted>().map(Arc::new);
    extensions.insert(Sifted {
        cookie: Arc::clone(cookie),
        is_verifiable,
        outer,
    });
}

/// Returns whether an outer session layer has already taken one of the cookies.
fn is_taken<Body>(request: &Request<Body>, name: &str) -> bool {
    let session = request.extensions().get::<Session>();
    let taken = session.and_then(Session::id);
    let mut read_as = cookies(request.headers()).filter(|cookie| cookie.is_read_as(name));
    taken.is_some() && read_as.any(|cookie| id_in(cookie.value()) == taken)
}

/// Returns the id in the value of a cookie, as the session layer parses it.
pub(super) fn id_in(value: &[u8]) -> Option<Id> {
    let written = std::str::from_utf8(value).ok()?;
    let decoded = || percent_decode(value).decode_utf8().ok()?.parse().ok();
    written.parse().ok().or_else(decoded)
}

/// Returns the values that identify a live session, each session once. The store is queried only if
/// there are several values.
async fn live(
    values: &[Vec<u8>],
    store: &impl SessionStore,
) -> Result<Vec<Vec<u8>>, session_store::Error> {
    if values.len() < 2 {
        return Ok(values.to_vec());
    }
    let mut ids = Vec::new();
    let mut live = Vec::new();
    for value in values {
        let Some(id) = id_in(value).filter(|id| !ids.contains(id)) else {
            continue;
        };
        ids.push(id);
        if store.load(&id).await?.is_some() {
            live.push(value.clone());
        }
    }
    Ok(live)
}

/// Replaces all cookies that may be read as `name` with cookies of these values.
fn keep_only(headers: &mut HeaderMap, name: &str, values: &[Vec<u8>]) {
    let is_other = |pair: &&[u8]| {
        let cookie = Cookie::parse(pair);
        !pair.trim_ascii().is_empty() && !cookie.is_some_and(|cookie| cookie.is_read_as(name))
    };
    let lines = headers.get_all(COOKIE).iter();
    let others = lines.map(|line| {
        let pairs = line.as_bytes().split(|byte| *byte == b';');
        pairs.filter(is_other).collect::<Vec<_>>().join(&b';')
    });
    let kept = values
        .iter()
        .map(|value| [name.as_bytes(), b"=", value].concat());
    let lines: Vec<Vec<u8>> = others.chain(kept).collect();
    headers.remove(COOKIE);
    for line in lines.iter().filter(|line| !line.is_empty()) {
        if let Ok(line) = HeaderValue::from_bytes(line.trim_ascii()) {
            headers.append(COOKIE, line);
        }
    }
}

impl<Store> fmt::Debug for SessionCookieLayer<Store> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCookieLayer")
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}

impl<S, Store> fmt::Debug for SessionCookies<S, Store> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCookies")
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}
