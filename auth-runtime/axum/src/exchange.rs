//! One request and its response, from authorization to the end of the handler.
//!
//! It authenticates and decides before the request reaches inner layers, extractors or the handler.
//! At an endpoint, it adds no tower layer: axum calls it as the handler. In front of the layers of a hidden route, it is
//! a layer ([`conceal`]).

mod added_fields;
pub(crate) mod authorizer;
mod checked_parts;
pub(crate) mod conceal;
pub(crate) mod conceal_timing;
mod confirmation;
pub(crate) mod fallback;
pub(crate) mod fallback_handler;
mod handover;
mod kept_body;
mod lock;
pub(crate) mod matched;
mod parameters;
pub(crate) mod response;
mod route_slot;
pub(crate) mod secrecy;

use std::sync::Arc;

use auth_runtime_core::adapter::Authentication;
use auth_runtime_core::{Decision, HandlerLocation};
use axum::extract::Request;
use axum::response::Response;
use http::header::VARY;

use crate::exchange::added_fields::AddedFields;
use crate::exchange::authorizer::{AuthorizationOrPending, RouteAuthorization, RouteAuthorizer};
use crate::exchange::kept_body::KeptBody;
use crate::exchange::response::{ResponseOrFuture, internal_error};
use crate::exchange::route_slot::RouteSlot;
use crate::exchange::secrecy::{Secrecy, uncacheable_if_missing};
use crate::guard::{ConcealMark, Proof};
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
    secrecy: Secrecy,
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

/// The work after a decision.
enum Next {
    /// The code behind the authorizer is called.
    Call(RouteAuthorization),
    /// This is the response.
    Respond(ResponseOrFuture),
}

/// The code behind an authorizer.
pub(super) trait Inner: Send + 'static {
    /// Calls the code with a request that was not concealed. To code in front of layers, the request may
    /// be denied; to all other code, it is granted.
    fn call(
        self,
        exchange: Exchange,
        decided: RouteAuthorization,
        request: Request,
    ) -> ResponseOrFuture;
}

impl Exchange {
    pub(super) fn new(
        authorizer: Arc<RouteAuthorizer>,
        place: ExchangePlace,
        request: &mut Request,
    ) -> Self {
        Self {
            body: match place {
                ExchangePlace::Endpoint => authorizer.keep_body(request),
                ExchangePlace::BehindLayers | ExchangePlace::InFront => None,
            },
            probe: Probe::of(request.extensions()),
            slot: match place {
                ExchangePlace::BehindLayers => RouteSlot::of(&authorizer, request),
                ExchangePlace::Endpoint | ExchangePlace::InFront => None,
            },
            place,
            added: None,
            secrecy: Secrecy::default(),
            authorizer,
        }
    }

    /// Authorizes the request, and responds: at once if nothing has to be awaited.
    #[inline]
    pub(super) fn respond<I: Inner>(mut self, mut request: Request, inner: I) -> ResponseOrFuture {
        match self.authorize(&request) {
            AuthorizationOrPending::Now(decided) => match self.next(decided, &mut request) {
                Next::Call(decided) => inner.call(self, decided, request),
                Next::Respond(response) => response,
            },
            AuthorizationOrPending::Later(pending) => {
                ResponseOrFuture::Later(Box::pin(async move {
                    let decided = self.authorizer.complete(pending, &mut request).await;
                    match self.next(decided, &mut request) {
                        Next::Call(decided) => inner.call(self, decided, request).await,
                        Next::Respond(response) => response.await,
                    }
                }))
            }
        }
    }

    fn authorize(&self, request: &Request) -> AuthorizationOrPending {
        match self.slot.as_ref().and_then(|slot| slot.take(request)) {
            Some(decided) => RouteAuthorizer::confirm(decided, request),
            None => self.authorizer.authorize(request),
        }
    }

    fn next(&mut self, decided: RouteAuthorization, request: &mut Request) -> Next {
        let authorizer = &self.authorizer;
        match &*decided.authorization.decision {
            Decision::Grant if authorizer.matched.exists() => {
                if self.place != ExchangePlace::InFront {
                    authorizer.matched.record_entry(&self.probe);
                    let authentication = &decided.authentication;
                    self.added = AddedFields::of(&authorizer.space, authentication, request);
                }
                Next::Call(decided)
            }
            Decision::Deny(_) if self.place == ExchangePlace::InFront => Next::Call(decided),
            Decision::Deny(denial) => {
                authorizer.matched.record_denial(&self.probe, denial);
                let response = authorizer.deny(denial, &decided, request);
                Next::Respond(ResponseOrFuture::Now(response))
            }
            // A request that is undecided, or granted without a handler, is concealed as well.
            Decision::Conceal | Decision::Undecided(_) | Decision::Grant => {
                Next::Respond(self.conceal_by_policy(decided.authentication, request))
            }
        }
    }

    /// Conceals a denial by the policy. Behind layers, the layer in front responds.
    fn conceal_by_policy(
        &mut self,
        authentication: Authentication,
        request: &mut Request,
    ) -> ResponseOrFuture {
        if self.place == ExchangePlace::BehindLayers {
            return self.handled(ConcealMark { object: None }.marked());
        }
        // The fallback has the body of the request, as on an unknown path.
        self.body = None;
        let (fallback, response) = self.authorizer.conceal(authentication, request);
        self.record_fallback(fallback, response)
    }

    /// Lets the fallback respond without authentication.
    pub(super) fn respond_unauthenticated(&self, request: &mut Request) -> ResponseOrFuture {
        let fallback = &self.authorizer.fallback;
        let location = fallback.location_at(request.uri().path());
        let response = fallback.respond_unauthenticated(request);
        self.record_fallback(location, response)
    }

    /// Records the response of the fallback in place of a denial by the policy, or on an unknown path.
    fn record_fallback(
        &self,
        fallback: Option<HandlerLocation>,
        response: ResponseOrFuture,
    ) -> ResponseOrFuture {
        self.record(response, move |authorizer, probe, _| {
            authorizer.matched.record_fallback(probe, fallback);
        })
    }

    /// Records a response when it is available.
    fn record(
        &self,
        response: ResponseOrFuture,
        record: impl FnOnce(&RouteAuthorizer, &Probe, &Response) + Send + 'static,
    ) -> ResponseOrFuture {
        match response {
            ResponseOrFuture::Now(response) => {
                record(&self.authorizer, &self.probe, &response);
                ResponseOrFuture::Now(response)
            }
            later => {
                let (authorizer, probe) = (Arc::clone(&self.authorizer), self.probe.clone());
                ResponseOrFuture::Later(Box::pin(async move {
                    let response = later.await;
                    record(&authorizer, &probe, &response);
                    response
                }))
            }
        }
    }

    /// The proof for the guard of a granted request. `None` if there is no caller.
    #[inline]
    pub(super) fn grant(
        &mut self,
        decided: RouteAuthorization,
        request: &Request,
    ) -> Option<Proof> {
        self.authorizer.grant(decided, request, &mut self.secrecy)
    }

    /// Passes on the response of the handler, or conceals the object that it denied.
    pub(super) fn handled(&mut self, mut response: Response) -> ResponseOrFuture {
        self.secrecy.keep(response.headers_mut());
        if let Some(fields) = &self.authorizer.vary {
            response.headers_mut().append(VARY, fields.clone());
        }
        if let Some(added) = self.added.take() {
            added.add_to(&mut response);
        }
        let authorizer = &self.authorizer;
        authorizer.matched.record_handled(&self.probe, &response);
        if self.place == ExchangePlace::BehindLayers {
            let concealed = response.extensions().get::<ConcealMark>();
            if let (Some(slot), Some(concealed)) = (&self.slot, concealed) {
                slot.conceal(concealed.clone());
            }
            return ResponseOrFuture::Now(response);
        }
        let Some(concealed) = response.extensions_mut().remove::<ConcealMark>() else {
            return ResponseOrFuture::Now(uncacheable_if_missing(response));
        };
        let Some((authentication, request)) = concealed.object else {
            return ResponseOrFuture::Now(internal_error());
        };
        let response = authorizer.conceal_object(authentication, request, self.body.take());
        self.record(response, |authorizer, probe, response| {
            authorizer.matched.record_handled(probe, response);
        })
    }
}

/// The exchange of a handler that was called. A handler of a fallback has none.
pub struct Handling(pub(super) Option<Exchange>);

impl Handling {
    /// Passes on the response of the handler, or conceals the object that it denied.
    pub(super) fn end(self, response: Response) -> ResponseOrFuture {
        match self.0 {
            Some(mut exchange) => exchange.handled(response),
            None => ResponseOrFuture::Now(response),
        }
    }
}
