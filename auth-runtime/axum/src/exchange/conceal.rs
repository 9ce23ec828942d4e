//! Authorization in front of layers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use http::Method;
use tower::{Layer, Service, ServiceExt};

use crate::exchange::authorizer::{RouteAuthorization, RouteAuthorizer};
use crate::exchange::fallback_handler::FallbackHandler;
use crate::exchange::response::{ResponseOrFuture, response_of};
use crate::exchange::route_slot::RouteSlot;
use crate::exchange::secrecy::uncacheable_if_missing;
use crate::exchange::{Exchange, ExchangePlace, Inner};
use crate::guard::ConcealMark;

/// Decides in front of layers and prefixes that only matched routes have, on hidden paths. Such a
/// layer could otherwise reveal the route, by a field that it adds or by a response of its own; and
/// a fallback receives the path without its prefix.
///
/// Denials that are not concealed are left to the inner authorizer.
#[derive(Clone)]
pub(crate) struct ConcealLayer {
    pub(crate) authorizer: Arc<RouteAuthorizer>,
    /// The methods of the inner endpoint; `None` for all.
    pub(crate) methods: Option<Arc<[Method]>>,
    /// Responds to all other methods.
    pub(crate) unknown: FallbackHandler,
}

impl<R> Layer<R> for ConcealLayer {
    type Service = ConcealService<R>;

    fn layer(&self, inner: R) -> ConcealService<R> {
        ConcealService {
            inner: Arc::new(inner),
            layer: self.clone(),
        }
    }
}

pub(crate) struct ConcealService<R> {
    /// Shared, since axum clones the service for each request: only a request that goes on to the
    /// layers needs a copy of them.
    inner: Arc<R>,
    layer: ConcealLayer,
}

impl<R> Clone for ConcealService<R> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            layer: self.layer.clone(),
        }
    }
}

impl<R> Service<Request> for ConcealService<R>
where
    R: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    R::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = ConcealFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> ConcealFuture {
        let ConcealLayer {
            authorizer,
            methods,
            unknown,
        } = &self.layer;
        let is_other = |methods: &Arc<[Method]>| !methods.contains(request.method());
        ConcealFuture(if methods.as_ref().is_some_and(is_other) {
            unknown.respond(request)
        } else {
            let authorizer = Arc::clone(authorizer);
            let exchange = Exchange::new(authorizer, ExchangePlace::InFront, &mut request);
            let behind = BehindLayers(Arc::clone(&self.inner));
            exchange.respond(request, behind)
        })
    }
}

/// The service behind the layers.
pub(crate) struct BehindLayers<R>(Arc<R>);

impl<R> Inner for BehindLayers<R>
where
    R: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    R::Future: Send,
{
    /// Passes the request through the layers, and conceals a denial of the handler behind them.
    fn call(
        self,
        exchange: Exchange,
        mut decided: RouteAuthorization,
        mut request: Request,
    ) -> ResponseOrFuture {
        let Exchange {
            authorizer, probe, ..
        } = exchange;
        let in_front = authorizer.kept_request(&request, decided.body.as_ref());
        decided.in_front = authorizer.uses_guard.then(|| Box::new(in_front.clone()));
        decided.checked = authorizer.checked_parts(&request);
        let authentication = decided.authentication.clone();
        let uri = request.uri().clone();
        let slot = RouteSlot::hand(&authorizer, decided, &mut request);
        let body = authorizer.keep_body(&mut request);
        let response = R::clone(&self.0).oneshot(request);
        ResponseOrFuture::Later(Box::pin(async move {
            let mut response = response_of(response.await);
            // A layer may have replaced the response, or the request.
            let mark = response.extensions_mut().remove::<ConcealMark>();
            let Some(concealed) = slot.take_concealed().or(mark) else {
                return uncacheable_if_missing(response);
            };
            let fallback = authorizer.fallback.location_at(uri.path());
            // An unknown path has no such layers, so the credentials that were sent count.
            let response = authorizer
                .conceal_object(authentication, in_front, body)
                .await;
            if concealed.object.is_none() {
                authorizer.matched.record_fallback(&probe, fallback);
            } else {
                authorizer.matched.record_handled(&probe, &response);
            }
            response
        }))
    }
}

/// The response of a service behind layers, or of a fallback.
pub(crate) struct ConcealFuture(ResponseOrFuture);

impl Future for ConcealFuture {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(Ok)
    }
}
