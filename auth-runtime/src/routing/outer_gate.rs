//! The decision in front of layers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use http::Method;
use tower::{Layer, Service};

use crate::decision::Decision;
use crate::guard::Concealed;
use crate::routing::gate::{Decided, Gate, uncacheable_if_missing};
use crate::routing::passage::answer_of;
use crate::routing::unknown::unmatch;
use crate::witness::Witness;

/// Decides in front of layers that only matched routes get, where something is hidden: what such
/// a layer adds to an answer, or answers itself, would show that there is a route.
///
/// It lets everything pass that is not hidden, denials included, and leaves it to the gate inside.
#[derive(Clone)]
pub(crate) struct OuterGate {
    pub(crate) gate: Arc<Gate>,
    /// The methods that the gate inside stands in front of; `None` for all.
    pub(crate) methods: Option<Vec<Method>>,
}

impl<R> Layer<R> for OuterGate {
    type Service = OuterGated<R>;

    fn layer(&self, route: R) -> OuterGated<R> {
        OuterGated {
            route,
            outer: self.clone(),
        }
    }
}

#[derive(Clone)]
pub(crate) struct OuterGated<R> {
    route: R,
    outer: OuterGate,
}

impl<R> Service<Request> for OuterGated<R>
where
    R: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    R::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.route.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The clone is for the next request; the one that was polled ready serves this one.
        let route = self.route.clone();
        let route = std::mem::replace(&mut self.route, route);
        let outer = self.outer.clone();
        Box::pin(async move { Ok(outer.pass(request, route).await) })
    }
}

impl OuterGate {
    async fn pass<R>(self, mut request: Request, mut route: R) -> Response
    where
        R: Service<Request, Response = Response, Error = Infallible>,
    {
        let gate = self.gate;
        let witness = Witness::of(request.extensions());
        let is_routed = self
            .methods
            .is_none_or(|methods| methods.contains(request.method()));
        if !is_routed {
            return gate.unknown.clone().receive(unmatch(request, 0)).await;
        }
        if gate.policy.requirement().is_some() {
            let (verdict, judged) = gate.judge(request).await;
            request = judged;
            if verdict.ruling.decision == Decision::Hide {
                let request = unmatch(request, 0);
                let response = gate.unknown.answer(verdict.sender, request).ready().await;
                witness.tell(|| gate.testimony(&response, false));
                return response;
            }
            let gate = gate.id();
            request.extensions_mut().insert(Decided { gate, verdict });
        }
        let mut response = answer_of(route.call(request).await);
        match response.extensions_mut().remove::<Concealed>() {
            Some(concealed) => {
                let response = gate.conceal_object(concealed).ready().await;
                witness.tell(|| gate.testimony(&response, true));
                response
            }
            None => uncacheable_if_missing(response),
        }
    }
}
