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
use tower::{Layer, Service};

use crate::guard::Concealed;
use crate::probe::Probe;
use crate::routing::authorizer::{RouteAuthorizer, uncacheable_if_missing};
use crate::routing::fallback::strip_match;
use crate::routing::handover::hand_to_route;
use crate::routing::response_future::response_of;

/// Decides in front of layers that only matched routes have, on hidden paths. Such a layer could
/// otherwise reveal the route, by a field that it adds or by a response of its own.
///
/// Denials that are not concealed are left to the inner authorizer.
#[derive(Clone)]
pub(crate) struct ConcealLayer {
    pub(crate) authorizer: Arc<RouteAuthorizer>,
    /// The methods of the inner endpoint; `None` for all.
    pub(crate) methods: Option<Vec<Method>>,
}

impl<R> Layer<R> for ConcealLayer {
    type Service = ConcealService<R>;

    fn layer(&self, inner: R) -> ConcealService<R> {
        ConcealService {
            inner,
            layer: self.clone(),
        }
    }
}

#[derive(Clone)]
pub(crate) struct ConcealService<R> {
    inner: R,
    layer: ConcealLayer,
}

impl<R> Service<Request> for ConcealService<R>
where
    R: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    R::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The clone serves the next request; the service that was polled ready serves this one.
        let inner = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, inner);
        let layer = self.layer.clone();
        Box::pin(async move { Ok(layer.respond(request, inner).await) })
    }
}

impl ConcealLayer {
    async fn respond<R>(self, mut request: Request, mut inner: R) -> Response
    where
        R: Service<Request, Response = Response, Error = Infallible>,
    {
        let Self {
            authorizer,
            methods,
        } = self;
        let witness = Probe::of(request.extensions());
        if methods.is_some_and(|methods| !methods.contains(request.method())) {
            let request = strip_match(request, 0);
            return authorizer.fallback.receive(request).await;
        }
        if authorizer.policy.requirement().is_some() {
            let (authorization, authorized) = authorizer.authorize(request).await;
            request = authorized;
            if authorization.ruling.decision == Decision::Hide {
                let (testimony, response) = authorizer.conceal(authorization.sender, request, 0);
                let response = response.ready().await;
                witness.tell(|| testimony);
                return response;
            }
            hand_to_route(&authorizer, authorization, &mut request);
        }
        let mut response = response_of(inner.call(request).await);
        match response.extensions_mut().remove::<Concealed>() {
            Some(concealed) => {
                let response = authorizer.conceal_object(concealed).ready().await;
                witness.tell(|| authorizer.handled(&response));
                response
            }
            None => uncacheable_if_missing(response),
        }
    }
}
