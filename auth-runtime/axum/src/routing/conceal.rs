//! Authorization in front of layers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth_runtime_core::Decision;
use axum::extract::Request;
use axum::response::Response;
use http::Method;
use tower::{Layer, Service, ServiceExt};

use crate::guard::Concealed;
use crate::probe::Probe;
use crate::routing::authorizer::{
    AuthorizationOrFuture, ResponseOrFuture, RouteAuthorizer, uncacheable_if_missing,
};
use crate::routing::fallback::strip_match;
use crate::routing::handover::{RouteAuthorization, RouteSlot};
use crate::routing::kept_body::KeptBody;
use crate::routing::response_future::response_of;

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

    fn call(&mut self, request: Request) -> ConcealFuture {
        let ConcealLayer {
            authorizer,
            methods,
        } = &self.layer;
        let is_other = |methods: &Arc<[Method]>| !methods.contains(request.method());
        if methods.as_ref().is_some_and(is_other) {
            return ConcealFuture(authorizer.fallback.receive(strip_match(request)));
        }
        let probe = Probe::of(request.extensions());
        ConcealFuture(match authorizer.authorize(request) {
            AuthorizationOrFuture::Now(decided, request) => {
                respond(authorizer, probe, decided, request, &*self.inner)
            }
            AuthorizationOrFuture::Later(decided) => {
                let inner = Arc::clone(&self.inner);
                let authorizer = Arc::clone(authorizer);
                ResponseOrFuture::Later(Box::pin(async move {
                    let (decided, request) = decided.await;
                    respond(&authorizer, probe, decided, request, &*inner).await
                }))
            }
        })
    }
}

/// Conceals the denial, or calls the service behind the layers.
fn respond<R>(
    authorizer: &Arc<RouteAuthorizer>,
    probe: Probe,
    mut decided: RouteAuthorization,
    mut request: Request,
    inner: &R,
) -> ResponseOrFuture
where
    R: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    R::Future: Send,
{
    if decided.authorization.decision == Decision::Conceal {
        let authentication = decided.authorization.authentication;
        let (responder, response) = authorizer.conceal(authentication, request);
        return response.recorded(probe, responder);
    }
    let in_front = authorizer.object_request(&request, decided.form.as_ref());
    decided.objects = Some(Box::new(in_front.clone()));
    let slot = RouteSlot::hand(authorizer, decided, &mut request);
    let body = match authorizer.can_conceal_objects() {
        true => KeptBody::of(&mut request),
        false => None,
    };
    let response = inner.clone().oneshot(request);
    let authorizer = Arc::clone(authorizer);
    ResponseOrFuture::Later(Box::pin(async move {
        let _body = body;
        let mut response = response_of(response.await);
        // A layer may have replaced the response, or the request.
        let mark = response.extensions_mut().remove::<Concealed>();
        let Some(concealed) = slot.take_concealed().or(mark) else {
            return uncacheable_if_missing(response);
        };
        let path = in_front.snapshot.uri().path();
        let hidden = concealed.by_policy.then(|| authorizer.hidden(path));
        let concealed = Concealed {
            request: in_front,
            ..concealed
        };
        let response = authorizer.conceal_object(concealed).await;
        probe.record(|| hidden.unwrap_or_else(|| authorizer.handled(&response)));
        response
    }))
}

/// The response of a service behind layers, or of a fallback.
pub(crate) struct ConcealFuture(ResponseOrFuture);

impl Future for ConcealFuture {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(Ok)
    }
}
