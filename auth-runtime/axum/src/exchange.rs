//! One request and its response, from authorization to the end of the handler.

mod added_fields;
pub(crate) mod authorizer;
pub(crate) mod conceal;
pub(crate) mod conceal_timing;
pub(crate) mod fallback;
mod handover;
mod kept_body;
pub(crate) mod matched;
pub(crate) mod response;
pub(crate) mod response_future;
mod route_slot;
pub(crate) mod unknown_path;

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use auth_runtime_core::adapter::Authentication;
use auth_runtime_core::{Decision, HandlerLocation};
use axum::extract::Request;
use axum::response::Response;
use http::header::VARY;

use crate::exchange::added_fields::AddedFields;
use crate::exchange::authorizer::{
    AuthorizationOrFuture, BoxedAuthorization, RouteAuthorization, RouteAuthorizer,
};
use crate::exchange::kept_body::KeptBody;
use crate::exchange::response::{
    BoxedResponse, ResponseOrFuture, Secrecy, internal_error, uncacheable_if_missing,
};
use crate::exchange::route_slot::RouteSlot;
use crate::guard::Concealed;
use crate::probe::Probe;

/// A request that is being authorized and handled.
pub(super) struct Exchange {
    authorizer: Arc<RouteAuthorizer>,
    probe: Probe,
    /// The slot of the layer in front, if the decision is made there.
    slot: Option<Arc<RouteSlot>>,
    /// The body of the request, for the fallback, if a layer in front does not keep it.
    body: Option<KeptBody>,
    place: ExchangePlace,
    /// The fields to add to the response of the handler.
    added: Option<Box<AddedFields>>,
    state: State,
}

/// The place of an exchange.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum ExchangePlace {
    /// At a handler, or on an unknown path.
    Endpoint,
    /// At a handler behind layers, in front of which the decision is made.
    BehindLayers,
    /// In front of such layers. Only concealed denials are responded to here.
    InFront,
}

enum State {
    /// Credentials are being verified, a body is being read, or a check is running.
    Authorizing(BoxedAuthorization),
    /// The handler is running.
    Handling {
        response: BoxedResponse,
        secrecy: Secrecy,
    },
    /// The fallback is responding in place of a denial by the policy, or on an unknown path.
    Concealing {
        response: BoxedResponse,
        fallback: Option<HandlerLocation>,
    },
    /// The fallback is responding in place of an object that the handler denied.
    ConcealingObject(BoxedResponse),
    Responded(Response),
    /// The code behind the authorizer has to be called, or the future is complete.
    Left,
}

/// The next step of an exchange.
pub(super) enum Next {
    /// The code behind the authorizer has to be called.
    Call(Box<(RouteAuthorization, Request)>),
    /// The response is complete.
    Respond(Response),
}

impl Exchange {
    pub(super) fn new(
        authorizer: Arc<RouteAuthorizer>,
        place: ExchangePlace,
        request: &mut Request,
    ) -> Self {
        let keeps_body = place == ExchangePlace::Endpoint && authorizer.can_conceal_objects();
        Self {
            body: keeps_body.then(|| KeptBody::of(request)).flatten(),
            probe: Probe::of(request.extensions()),
            slot: match place {
                ExchangePlace::BehindLayers => RouteSlot::of(&authorizer, request),
                ExchangePlace::Endpoint | ExchangePlace::InFront => None,
            },
            place,
            added: None,
            state: State::Left,
            authorizer,
        }
    }

    pub(super) fn authorizer(&self) -> &Arc<RouteAuthorizer> {
        &self.authorizer
    }

    /// Authorizes the request, at once if nothing has to be awaited. Returns the decision if the code
    /// behind the authorizer has to be called.
    pub(super) fn authorize(&mut self, request: &mut Request) -> Option<RouteAuthorization> {
        let decided = match self.slot.as_ref().and_then(|slot| slot.take(request)) {
            Some(decided) => self.authorizer.confirm(decided, request),
            None => self.authorizer.authorize(request),
        };
        match decided {
            AuthorizationOrFuture::Now(decided) => self.authorized(decided, request),
            AuthorizationOrFuture::Later(decided) => {
                self.state = State::Authorizing(decided);
                None
            }
        }
    }

    /// Lets the fallback respond without authentication.
    pub(super) fn respond_unauthenticated(&mut self, request: &mut Request) {
        let fallback = &self.authorizer.fallback;
        let location = fallback.location_at(request.uri().path());
        let response = fallback.respond_unauthenticated(request);
        self.conceal(location, response);
    }

    /// Goes on with the response of the handler.
    pub(super) fn handle(&mut self, response: BoxedResponse, secrecy: Secrecy) {
        self.state = State::Handling { response, secrecy };
    }

    /// Responds with an error: a granted request has no caller, or no code to call.
    pub(super) fn fail(&mut self) {
        self.state = State::Responded(internal_error());
    }

    /// Responds to a denied request. Returns the decision if the code behind the authorizer has to be
    /// called.
    fn authorized(
        &mut self,
        decided: RouteAuthorization,
        request: &mut Request,
    ) -> Option<RouteAuthorization> {
        let authorizer = &self.authorizer;
        match &decided.authorization.decision {
            Decision::Grant if authorizer.matched.exists() => {
                if self.place != ExchangePlace::InFront {
                    authorizer.matched.record_entry(&self.probe);
                    let authentication = &decided.authentication;
                    self.added = AddedFields::of(&authorizer.space, authentication, request);
                }
                Some(decided)
            }
            Decision::Deny(_) if self.place == ExchangePlace::InFront => Some(decided),
            Decision::Deny(denial) => {
                authorizer.matched.record_denial(&self.probe, denial);
                let response = authorizer.deny(denial, &decided, request);
                self.state = State::Responded(response);
                None
            }
            // A request that is undecided, or granted without a handler, is concealed as well.
            Decision::Conceal | Decision::Undecided(_) | Decision::Grant => {
                self.conceal_by_policy(decided.authentication, request);
                None
            }
        }
    }

    /// Conceals a denial by the policy. Behind layers, the layer in front responds.
    fn conceal_by_policy(&mut self, authentication: Authentication, request: &mut Request) {
        if self.place == ExchangePlace::BehindLayers {
            let concealed = Concealed {
                request: self.authorizer.kept_request(request, None),
                authentication,
                by_policy: true,
            };
            let response = Box::pin(std::future::ready(concealed.marked()));
            return self.handle(response, Secrecy::default());
        }
        // The fallback has the body of the request, as on an unknown path.
        self.body = None;
        let (fallback, response) = self.authorizer.conceal(authentication, request);
        self.conceal(fallback, response);
    }

    /// Goes on with the response of the fallback.
    fn conceal(&mut self, fallback: Option<HandlerLocation>, response: ResponseOrFuture) {
        self.state = match response {
            ResponseOrFuture::Now(response) => {
                self.authorizer
                    .matched
                    .record_fallback(&self.probe, fallback);
                State::Responded(response)
            }
            ResponseOrFuture::Later(response) => State::Concealing { response, fallback },
        };
    }

    /// Responds, unless the handler has to be called first.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        let response = loop {
            match &mut self.state {
                State::Authorizing(decided) => {
                    let (decided, mut request) = ready!(decided.as_mut().poll(context));
                    self.state = State::Left;
                    if let Some(decided) = self.authorized(decided, &mut request) {
                        return Poll::Ready(Next::Call(Box::new((decided, request))));
                    }
                }
                State::Handling { response, secrecy } => {
                    let response = ready!(response.as_mut().poll(context));
                    let secrecy = *secrecy;
                    match self.handled(response, secrecy) {
                        ResponseOrFuture::Now(response) => break response,
                        ResponseOrFuture::Later(response) => {
                            self.state = State::ConcealingObject(response);
                        }
                    }
                }
                State::Concealing { response, fallback } => {
                    let response = ready!(response.as_mut().poll(context));
                    self.authorizer
                        .matched
                        .record_fallback(&self.probe, *fallback);
                    break response;
                }
                State::ConcealingObject(response) => {
                    let response = ready!(response.as_mut().poll(context));
                    self.authorizer
                        .matched
                        .record_handled(&self.probe, &response);
                    break response;
                }
                State::Responded(response) => break std::mem::take(response),
                // Reached only if the future is polled after completion.
                State::Left => break internal_error(),
            }
        };
        self.state = State::Left;
        Poll::Ready(Next::Respond(response))
    }

    /// Passes on the response of the handler, or conceals the object that it denied.
    fn handled(&mut self, mut response: Response, secrecy: Secrecy) -> ResponseOrFuture {
        if self.place == ExchangePlace::InFront {
            return ResponseOrFuture::Now(response);
        }
        secrecy.keep(response.headers_mut());
        if let Some(fields) = &self.authorizer.vary {
            response.headers_mut().append(VARY, fields.clone());
        }
        if let Some(added) = self.added.take() {
            added.add_to(&mut response);
        }
        let authorizer = &self.authorizer;
        authorizer.matched.record_handled(&self.probe, &response);
        if self.place == ExchangePlace::BehindLayers {
            let concealed = response.extensions().get::<Concealed>();
            if let (Some(slot), Some(concealed)) = (&self.slot, concealed) {
                slot.conceal(concealed.clone());
            }
            return ResponseOrFuture::Now(response);
        }
        let Some(concealed) = response.extensions_mut().remove::<Concealed>() else {
            return ResponseOrFuture::Now(uncacheable_if_missing(response));
        };
        let concealed = authorizer.conceal_object(concealed, self.body.take());
        if let ResponseOrFuture::Now(response) = &concealed {
            authorizer.matched.record_handled(&self.probe, response);
        }
        concealed
    }
}
