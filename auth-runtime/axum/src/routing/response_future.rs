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
use http::StatusCode;
use tower::{Service, ServiceExt};

use crate::guard::{Concealed, Guard, Proof};
use crate::probe::{Probe, Responder};
use crate::routing::authorizer::{
    Authorization, AuthorizationOrFuture, BoxedAuthorization, ResponseOrFuture, RouteAuthorizer,
    keep_private, keep_query_secret, uncacheable_if_missing,
};
use crate::routing::handler::{BoxedResponse, GuardedParameters, Seal, TakesGuard};
use crate::routing::handover::{take_for_route, uri_in_front};

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
    witness: Probe,
    state: State<I>,
}

enum State<I> {
    /// Credentials are being verified, a form is being read, or a check is running.
    Authorizing {
        authorization: BoxedAuthorization,
        inner: I,
    },
    /// The handler is running.
    Inner {
        response: BoxedResponse,
        is_private: bool,
        is_query_secret: bool,
    },
    /// The fallback is responding in place of a denial by the policy, or of a denied object.
    Concealing {
        response: BoxedResponse,
        /// `None` if the handler denied an object.
        testimony: Option<Responder>,
    },
    Responded(Response),
    Polled,
}

impl<I: Inner> ResponseFuture<I> {
    fn start(authorizer: Arc<RouteAuthorizer>, request: Request, inner: I) -> Self {
        let witness = Probe::of(request.extensions());
        let handed = match authorizer.decided_outside {
            true => take_for_route(&authorizer, &request),
            false => None,
        };
        let authorization = match handed {
            Some(authorization) => AuthorizationOrFuture::Now(authorization, request),
            None => authorizer.authorize(request),
        };
        let state = match authorization {
            AuthorizationOrFuture::Now(authorization, request) => {
                State::authorized((&authorizer, &witness), authorization, request, inner)
            }
            AuthorizationOrFuture::Later(authorization) => State::Authorizing {
                authorization,
                inner,
            },
        };
        Self {
            authorizer,
            witness,
            state,
        }
    }
}

impl<I: Inner> State<I> {
    /// Calls the handler, or responds to the denied request.
    fn authorized(
        (authorizer, witness): (&RouteAuthorizer, &Probe),
        authorization: Authorization,
        request: Request,
        inner: I,
    ) -> Self {
        match &authorization.ruling.decision {
            Decision::Grant => {
                let sender = &authorization.sender;
                let is_public = authorizer.policy.requirement().is_none();
                let is_private = !is_public && !sender.to_policy().is_in_authorization();
                let is_query_secret = is_private && authorizer.space.may_stand_in_query(sender);
                let Some(proof) = authorizer.proof(authorization, &request) else {
                    return Self::Responded(internal_error());
                };
                witness.tell(|| Responder::Entered {
                    location: authorizer.location,
                });
                Self::Inner {
                    response: inner.call(proof, request),
                    is_private,
                    is_query_secret,
                }
            }
            Decision::Deny(denial) => {
                witness.tell(|| Responder::Denied {
                    location: authorizer.location,
                    denial: denial.clone(),
                });
                Self::Responded(authorizer.deny(denial, &authorization.sender, &request))
            }
            // An undecided request is concealed as well.
            Decision::Hide | Decision::Undecided(_) => {
                let mut request = request;
                if let Some(uri) = uri_in_front(authorizer, &request) {
                    *request.uri_mut() = uri;
                }
                let (testimony, response) = authorizer.conceal(authorization.sender, request);
                Self::concealed((authorizer, witness), response, Some(testimony))
            }
        }
    }

    /// Responds as for an unknown path.
    fn concealed(
        (authorizer, witness): (&RouteAuthorizer, &Probe),
        response: ResponseOrFuture,
        testimony: Option<Responder>,
    ) -> Self {
        match response {
            ResponseOrFuture::Now(response) => {
                witness.tell(|| testimony.unwrap_or_else(|| authorizer.handled(&response)));
                Self::Responded(response)
            }
            ResponseOrFuture::Later(response) => Self::Concealing {
                response,
                testimony,
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
            witness,
            state,
        } = &mut *self;
        loop {
            *state = match std::mem::replace(state, State::Polled) {
                State::Authorizing {
                    mut authorization,
                    inner,
                } => match authorization.as_mut().poll(context) {
                    Poll::Ready((authorization, request)) => {
                        State::authorized((authorizer, witness), authorization, request, inner)
                    }
                    Poll::Pending => {
                        *state = State::Authorizing {
                            authorization,
                            inner,
                        };
                        return Poll::Pending;
                    }
                },
                State::Inner {
                    mut response,
                    is_private,
                    is_query_secret,
                } => {
                    let Poll::Ready(mut response) = response.as_mut().poll(context) else {
                        *state = State::Inner {
                            response,
                            is_private,
                            is_query_secret,
                        };
                        return Poll::Pending;
                    };
                    if is_private {
                        keep_private(response.headers_mut());
                    }
                    if is_query_secret {
                        keep_query_secret(response.headers_mut());
                    }
                    witness.tell(|| authorizer.handled(&response));
                    if authorizer.decided_outside {
                        return Poll::Ready(response);
                    }
                    match response.extensions_mut().remove::<Concealed>() {
                        Some(concealed) => {
                            let response = authorizer.conceal_object(concealed);
                            State::concealed((authorizer, witness), response, None)
                        }
                        None => return Poll::Ready(uncacheable_if_missing(response)),
                    }
                }
                State::Concealing {
                    mut response,
                    testimony,
                } => {
                    let Poll::Ready(response) = response.as_mut().poll(context) else {
                        *state = State::Concealing {
                            response,
                            testimony,
                        };
                        return Poll::Pending;
                    };
                    witness.tell(|| testimony.unwrap_or_else(|| authorizer.handled(&response)));
                    return Poll::Ready(response);
                }
                State::Responded(response) => return Poll::Ready(response),
                // Reached only if the future is polled after completion.
                State::Polled => return Poll::Ready(internal_error()),
            };
        }
    }
}

fn internal_error() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
