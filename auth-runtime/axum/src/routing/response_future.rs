//! The future of a response, from authorization to the end of the handler.
//!
//! It authenticates and decides before the request reaches inner layers, extractors or the handler.
//! It adds no tower layer: axum calls it as the handler.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth_runtime_core::Decision;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderName, HeaderValue, StatusCode};
use tower::{Service, ServiceExt};

use crate::guard::{Concealed, Guard, Proof};
use crate::probe::{Probe, Responder};
use crate::request::head_of;
use crate::routing::authorizer::{
    AuthorizationOrFuture, BoxedAuthorization, ResponseOrFuture, RouteAuthorizer, keep_private,
    keep_query_secret, uncacheable_if_missing,
};
use crate::routing::handler::{BoxedResponse, GuardedParameters, Seal, TakesGuard};
use crate::routing::handover::{RouteAuthorization, RouteSlot};
use crate::routing::kept_body::KeptBody;

/// The code behind an authorizer.
pub(crate) trait Inner {
    fn call(self, proof: Proof, request: Request) -> BoxedResponse;
}

/// A handler or service with its authorizer. It implements axum's `Handler`.
pub(crate) struct Authorized<H> {
    inner: H,
    authorizer: Arc<RouteAuthorizer>,
}

impl<H> Authorized<H> {
    pub(crate) fn new(inner: H, authorizer: Arc<RouteAuthorizer>) -> Self {
        Self { inner, authorizer }
    }
}

impl<H: Clone> Clone for Authorized<H> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            authorizer: Arc::clone(&self.authorizer),
        }
    }
}

/// Marks a handler that takes a guard, with its parameters `T` and the ways `M` to extract them.
pub(crate) struct ByHandler<T, M>(PhantomData<(T, M)>);

impl<H, T, S, M> Handler<ByHandler<T, M>, S> for Authorized<H>
where
    H: TakesGuard<T>,
    T: GuardedParameters<H, S, M>,
    M: 'static,
    S: Send + Sync + 'static,
{
    type Future = ResponseFuture<HandlerCall<H, T, S, M>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        let call = HandlerCall {
            handler: self.inner,
            state,
            parameters: PhantomData,
        };
        ResponseFuture::start(self.authorizer, request, call)
    }
}

pub(crate) struct HandlerCall<H, T, S, M> {
    handler: H,
    state: S,
    parameters: PhantomData<fn() -> (T, M)>,
}

impl<H, T, S, M> Inner for HandlerCall<H, T, S, M>
where
    H: TakesGuard<T>,
    T: GuardedParameters<H, S, M>,
{
    fn call(self, proof: Proof, request: Request) -> BoxedResponse {
        match Guard::prove(proof) {
            Ok(guard) => T::call(self.handler, guard, request, self.state, Seal(())),
            Err(denied) => Box::pin(ready(denied.into_response())),
        }
    }
}

/// A service without a guard.
#[derive(Clone)]
pub(crate) struct InnerService<T>(pub(crate) T);

/// Marks a service that is called as a handler.
pub(crate) enum ByService {}

impl<T, S> Handler<ByService, S> for Authorized<InnerService<T>>
where
    T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Response: IntoResponse,
    T::Future: Send,
{
    type Future = ResponseFuture<InnerService<T>>;

    fn call(self, request: Request, _state: S) -> Self::Future {
        ResponseFuture::start(self.authorizer, request, self.inner)
    }
}

impl<T> Inner for InnerService<T>
where
    T: Service<Request, Error = Infallible> + Send + 'static,
    T::Response: IntoResponse,
    T::Future: Send,
{
    fn call(self, _proof: Proof, request: Request) -> BoxedResponse {
        Box::pin(async move { response_of(self.0.oneshot(request).await) })
    }
}

pub(crate) fn response_of(result: Result<impl IntoResponse, Infallible>) -> Response {
    match result {
        Ok(response) => response.into_response(),
        Err(never) => match never {},
    }
}

/// The response to one request, starting with its authorization.
pub(crate) struct ResponseFuture<I> {
    authorizer: Arc<RouteAuthorizer>,
    probe: Probe,
    /// The slot of the layer in front, if the decision is made there.
    slot: Option<Arc<RouteSlot>>,
    /// The body of the request, if a layer in front does not keep it.
    #[expect(dead_code, reason = "it has to live as long")]
    body: Option<KeptBody>,
    state: State<I>,
}

enum State<I> {
    /// Credentials are being verified, a form is being read, or a check is running.
    Authorizing {
        decided: BoxedAuthorization,
        inner: I,
    },
    /// The handler is running.
    Inner {
        response: BoxedResponse,
        is_private: bool,
        is_query_secret: bool,
        /// The subprotocol to accept if the handler accepts none.
        subprotocol: Option<HeaderValue>,
        /// The fields to add if the handler does not set them.
        fields: Vec<(HeaderName, HeaderValue)>,
    },
    /// The fallback is responding in place of a denial by the policy, or of a denied object.
    Concealing {
        response: BoxedResponse,
        /// `None` if the handler denied an object.
        responder: Option<Responder>,
    },
    Responded(Response),
    Polled,
}

impl<I: Inner> ResponseFuture<I> {
    fn start(authorizer: Arc<RouteAuthorizer>, mut request: Request, inner: I) -> Self {
        let keeps_body = authorizer.can_conceal_objects() && !authorizer.decided_outside;
        let body = keeps_body.then(|| KeptBody::of(&mut request)).flatten();
        let probe = Probe::of(request.extensions());
        let slot = match authorizer.decided_outside {
            true => RouteSlot::of(&authorizer, &request),
            false => None,
        };
        let decided = match slot.as_ref().and_then(|slot| slot.take(&request)) {
            Some(decided) => authorizer.confirm(decided, request),
            None => authorizer.authorize(request),
        };
        let state = match decided {
            AuthorizationOrFuture::Now(decided, request) => {
                State::authorized((&authorizer, &probe), decided, request, inner)
            }
            AuthorizationOrFuture::Later(decided) => State::Authorizing { decided, inner },
        };
        Self {
            authorizer,
            probe,
            slot,
            body,
            state,
        }
    }
}

impl<I: Inner> State<I> {
    /// Calls the handler, or responds to the denied request.
    fn authorized(
        (authorizer, probe): (&RouteAuthorizer, &Probe),
        decided: RouteAuthorization,
        request: Request,
        inner: I,
    ) -> Self {
        let RouteAuthorization {
            authorization,
            form,
            objects,
        } = decided;
        match &authorization.decision {
            Decision::Grant => {
                let authentication = &authorization.authentication;
                let is_public = authorizer.policy.requirement().is_none();
                let is_private = !is_public && !authentication.to_policy().is_in_authorization();
                let is_query_secret =
                    is_private && authorizer.space.may_stand_in_query(authentication);
                let objects = authorizer.can_deny_objects().then(|| {
                    let own = || Box::new(authorizer.object_request(&request, form.as_ref()));
                    objects.unwrap_or_else(own)
                });
                let subprotocol = authorizer.space.subprotocol(head_of(&request));
                let fields = authorizer
                    .space
                    .granted_fields(authentication, request.headers());
                let Some(proof) = authorizer.proof(authorization, objects) else {
                    return Self::Responded(internal_error());
                };
                probe.record(|| Responder::Entered {
                    location: authorizer.location,
                });
                Self::Inner {
                    response: inner.call(proof, request),
                    is_private,
                    is_query_secret,
                    subprotocol,
                    fields,
                }
            }
            Decision::Deny(denial) => {
                probe.record(|| Responder::Denied {
                    location: authorizer.location,
                    denial: denial.clone(),
                });
                let authentication = &authorization.authentication;
                Self::Responded(authorizer.deny(denial, authentication, &request))
            }
            // An undecided request is concealed as well. Behind layers, the layer in front responds.
            Decision::Conceal | Decision::Undecided(_) if authorizer.decided_outside => {
                let concealed = Concealed {
                    request: authorizer.object_request(&request, None),
                    authentication: authorization.authentication,
                    by_policy: true,
                };
                Self::Inner {
                    response: Box::pin(ready(concealed.marked())),
                    is_private: false,
                    is_query_secret: false,
                    subprotocol: None,
                    fields: Vec::new(),
                }
            }
            Decision::Conceal | Decision::Undecided(_) => {
                let authentication = authorization.authentication;
                let (responder, response) = authorizer.conceal(authentication, request);
                Self::concealed((authorizer, probe), response, Some(responder))
            }
        }
    }

    /// Responds as for an unknown path.
    fn concealed(
        (authorizer, probe): (&RouteAuthorizer, &Probe),
        response: ResponseOrFuture,
        responder: Option<Responder>,
    ) -> Self {
        match response {
            ResponseOrFuture::Now(response) => {
                probe.record(|| responder.unwrap_or_else(|| authorizer.handled(&response)));
                Self::Responded(response)
            }
            ResponseOrFuture::Later(response) => Self::Concealing {
                response,
                responder,
            },
        }
    }
}

// There is no structural pinning: the inner futures are boxed.
impl<I> Unpin for ResponseFuture<I> {}

impl<I: Inner> Future for ResponseFuture<I> {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let Self {
            authorizer,
            probe,
            slot,
            state,
            ..
        } = &mut *self;
        loop {
            *state = match std::mem::replace(state, State::Polled) {
                State::Authorizing { mut decided, inner } => match decided.as_mut().poll(context) {
                    Poll::Ready((decided, request)) => {
                        State::authorized((authorizer, probe), decided, request, inner)
                    }
                    Poll::Pending => {
                        *state = State::Authorizing { decided, inner };
                        return Poll::Pending;
                    }
                },
                State::Inner {
                    mut response,
                    is_private,
                    is_query_secret,
                    subprotocol,
                    fields,
                } => {
                    let Poll::Ready(mut response) = response.as_mut().poll(context) else {
                        *state = State::Inner {
                            response,
                            is_private,
                            is_query_secret,
                            subprotocol,
                            fields,
                        };
                        return Poll::Pending;
                    };
                    if is_private {
                        keep_private(response.headers_mut());
                    }
                    if is_query_secret {
                        keep_query_secret(response.headers_mut());
                    }
                    if let Some(subprotocol) = subprotocol {
                        accept_subprotocol(&mut response, subprotocol);
                    }
                    if response.extensions().get::<Concealed>().is_none() {
                        for (name, value) in fields {
                            response.headers_mut().entry(name).or_insert(value);
                        }
                    }
                    probe.record(|| authorizer.handled(&response));
                    if authorizer.decided_outside {
                        let concealed = response.extensions().get::<Concealed>();
                        if let (Some(slot), Some(concealed)) = (slot, concealed) {
                            slot.conceal(concealed.clone());
                        }
                        return Poll::Ready(response);
                    }
                    match response.extensions_mut().remove::<Concealed>() {
                        Some(concealed) => {
                            let response = authorizer.conceal_object(concealed);
                            State::concealed((authorizer, probe), response, None)
                        }
                        None => return Poll::Ready(uncacheable_if_missing(response)),
                    }
                }
                State::Concealing {
                    mut response,
                    responder,
                } => {
                    let Poll::Ready(response) = response.as_mut().poll(context) else {
                        *state = State::Concealing {
                            response,
                            responder,
                        };
                        return Poll::Pending;
                    };
                    probe.record(|| responder.unwrap_or_else(|| authorizer.handled(&response)));
                    return Poll::Ready(response);
                }
                State::Responded(response) => return Poll::Ready(response),
                // Reached only if the future is polled after completion.
                State::Polled => return Poll::Ready(internal_error()),
            };
        }
    }
}

/// Accepts a subprotocol in the response to a handshake, unless the handler accepted one.
fn accept_subprotocol(response: &mut Response, subprotocol: HeaderValue) {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS || status.is_success() {
        let accepted = response.headers_mut().entry(SEC_WEBSOCKET_PROTOCOL);
        accepted.or_insert(subprotocol);
    }
}

fn internal_error() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
