//! The decision in front of a handler.
//!
//! A gate authenticates and decides before the handler, its extractors or any layer inside of it
//! see the request. It adds no tower layer: it is the handler that axum calls.

use std::any::TypeId;
use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use pin_project_lite::pin_project;
use tower::{Service, ServiceExt};

use crate::caller::Caller;
use crate::decision::{Decision, Denial};
use crate::denial_body::DeniedRequest;
use crate::guard::{Concealed, Hiding, ObjectGate, Pass};
use crate::head::Head;
use crate::policy::Policy;
use crate::routing::unknown::{UnknownPath, unmatch, uri_before};
use crate::space::{Authentication, ProtectionSpace, Sender, forbid_storing};

/// What stands in front of one method of one path.
pub(crate) struct Gate {
    pub(crate) policy: Policy,
    pub(crate) policy_type: TypeId,
    /// Whether the handler may ask its guard about objects.
    pub(crate) uses_guard: bool,
    pub(crate) space: ProtectionSpace,
    /// Whether every denial on this path is hidden, since some method of it is.
    pub(crate) path_is_hidden: bool,
    pub(crate) unknown: UnknownPath,
    /// How many segments axum has stripped off the path where the gate stands that the fallback
    /// would still see.
    pub(crate) stripped: usize,
    /// Whether the decision was made further out, by an
    /// [`OuterGate`](super::outer_gate::OuterGate).
    pub(crate) decided_outside: bool,
}

/// What became of a request.
#[derive(Clone)]
pub(super) struct Verdict {
    pub(super) decision: Decision,
    pub(super) sender: Sender,
    /// For a fallback to see, should an object be denied.
    head: Option<Arc<Parts>>,
}

/// The verdict of an [`OuterGate`](super::outer_gate::OuterGate), on its way through the layers to the handler.
#[derive(Clone)]
pub(super) struct Decided {
    pub(super) gate: usize,
    pub(super) verdict: Verdict,
}

impl Verdict {
    /// That on a public handler: nobody looked who is calling.
    fn public() -> Self {
        Self {
            decision: Decision::Grant,
            sender: Sender::caller(Caller::Anonymous, None),
            head: None,
        }
    }
}

impl Gate {
    /// Tells gates apart while they stand: they are never moved out of their `Arc`.
    pub(super) fn id(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    /// Whether `sender` is told what an unknown path would tell.
    pub(super) fn hides_from(&self, sender: &Sender) -> bool {
        if self.policy.is_hidden() {
            sender.is_kept_from(&self.policy)
        } else {
            self.path_is_hidden
        }
    }

    pub(super) fn decide(&self, sender: Sender, request: &Request) -> Verdict {
        let decision = self.space.decide(&self.policy, &sender);
        let head = match decision {
            Decision::Grant => self.head_for_fallback(request),
            Decision::Deny(_) => None,
        };
        Verdict {
            decision,
            sender,
            head,
        }
    }

    /// What the guard will ask for; that of a public handler asks for nothing.
    fn pass(&self, verdict: Verdict, request: &Request) -> Option<Pass> {
        let Verdict { sender, head, .. } = verdict;
        let (Sender::Caller { caller, scheme }, Some(_)) = (sender, self.policy.requirement())
        else {
            return None;
        };
        let objects = self.uses_guard.then(|| ObjectGate {
            space: self.space.clone(),
            scheme,
            request: self.denied_request(request),
            hiding: Hiding::ByGate {
                path_is_hidden: self.path_is_hidden,
                head,
            },
        });
        Some(Pass {
            policy: self.policy_type,
            caller,
            objects,
        })
    }

    fn denied_request(&self, request: &Request) -> DeniedRequest {
        let denied = DeniedRequest::of(Head::of(request));
        if self.path_is_hidden {
            denied.at(uri_before(request, self.stripped))
        } else {
            denied
        }
    }

    /// A fallback of the service's own wants to see the request whose object is denied; nobody
    /// else does, and copying a head allocates.
    fn head_for_fallback(&self, request: &Request) -> Option<Arc<Parts>> {
        if !(self.path_is_hidden && self.uses_guard && self.unknown.needs_request()) {
            return None;
        }
        let mut copy = Request::new(axum::body::Body::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        *copy.headers_mut() = request.headers().clone();
        *copy.extensions_mut() = request.extensions().clone();
        Some(Arc::new(unmatch(copy, 0).into_parts().0))
    }

    /// The answer to a denied request.
    fn deny(&self, denial: &Denial, sender: &Sender, request: &Request) -> Response {
        let request = DeniedRequest::of(Head::of(request));
        let answer = self.space.answer(denial, sender, &request);
        answer.map(axum::body::Body::from)
    }

    /// The answer that a path that was never there would give.
    fn conceal(&self, sender: Sender, request: Request) -> BoxedAnswer {
        self.unknown.answer(sender, unmatch(request, self.stripped))
    }

    /// Puts the answer of an unknown path in place of a denial that the handler returned.
    pub(super) fn conceal_object(&self, concealed: Concealed) -> BoxedAnswer {
        let Concealed {
            sender,
            request,
            head,
        } = concealed;
        match head {
            Some(head) => {
                let head = Arc::unwrap_or_clone(head);
                let request = Request::from_parts(head, axum::body::Body::empty());
                self.unknown.answer(sender, request)
            }
            None => {
                let answer = self.unknown.answer_by_space(&sender, &request);
                Box::pin(std::future::ready(answer))
            }
        }
    }
}

pub(crate) type BoxedAnswer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// What lies behind a gate.
pub(crate) trait Behind {
    type Future: Future<Output = Response>;

    fn call(self, request: Request) -> Self::Future;
}

/// A handler with its gate: what axum is given.
pub(crate) struct GatedHandler<H> {
    handler: H,
    gate: Arc<Gate>,
}

impl<H> GatedHandler<H> {
    pub(crate) fn new(handler: H, gate: Arc<Gate>) -> Self {
        Self { handler, gate }
    }
}

impl<H: Clone> Clone for GatedHandler<H> {
    fn clone(&self) -> Self {
        Self {
            handler: self.handler.clone(),
            gate: Arc::clone(&self.gate),
        }
    }
}

impl<H, T, S> Handler<T, S> for GatedHandler<H>
where
    H: Handler<T, S>,
    T: 'static,
    S: Send + Sync + 'static,
{
    type Future = Passage<HandlerBehind<H, T, S>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        let behind = HandlerBehind {
            handler: self.handler,
            state,
            extractors: PhantomData,
        };
        Passage::start(self.gate, request, behind)
    }
}

pub(crate) struct HandlerBehind<H, T, S> {
    handler: H,
    state: S,
    extractors: PhantomData<fn() -> T>,
}

impl<H: Handler<T, S>, T, S> Behind for HandlerBehind<H, T, S> {
    type Future = H::Future;

    fn call(self, request: Request) -> H::Future {
        self.handler.call(request, self.state)
    }
}

/// A service behind a gate, as a handler.
#[derive(Clone)]
pub(crate) struct ServiceHandler<T>(pub(crate) T);

/// Marks the one way in which [`ServiceHandler`] is a handler.
pub(crate) enum ByService {}

impl<T, S> Handler<ByService, S> for ServiceHandler<T>
where
    T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Response: IntoResponse,
    T::Future: Send,
{
    type Future = BoxedAnswer;

    fn call(self, request: Request, _state: S) -> Self::Future {
        Box::pin(async move { answer_of(self.0.oneshot(request).await) })
    }
}

pub(crate) fn answer_of(result: Result<impl IntoResponse, Infallible>) -> Response {
    match result {
        Ok(response) => response.into_response(),
        Err(never) => match never {},
    }
}

pin_project! {
    /// The way of a request through a gate.
    pub(crate) struct Passage<B: Behind> {
        gate: Arc<Gate>,
        // Gone once the request went on.
        waiting: Option<(Request, B)>,
        #[pin]
        stage: Stage<B::Future>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F> {
        Authenticating { authentication: Authentication },
        Decided { verdict: Option<Verdict> },
        Behind { #[pin] future: F },
        Concealing { answer: BoxedAnswer },
    }
}

impl<B: Behind> Passage<B> {
    fn start(gate: Arc<Gate>, mut request: Request, behind: B) -> Self {
        let outside = if gate.decided_outside {
            request.extensions_mut().remove::<Decided>()
        } else {
            None
        };
        let stage = match outside {
            Some(decided) if decided.gate == gate.id() => Stage::Decided {
                verdict: Some(decided.verdict),
            },
            _ if gate.policy.requirement().is_none() => Stage::Decided {
                verdict: Some(Verdict::public()),
            },
            _ => Stage::Authenticating {
                authentication: gate.space.authenticate(Head::of(&request)),
            },
        };
        Self {
            gate,
            waiting: Some((request, behind)),
            stage,
        }
    }
}

impl<B: Behind> Future for Passage<B> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let mut this = self.project();
        loop {
            let next = match this.stage.as_mut().project() {
                StageProjection::Authenticating { authentication } => {
                    let sender = ready!(Pin::new(authentication).poll(context));
                    let request = this.waiting.as_ref().map(|(request, _)| request);
                    Stage::Decided {
                        verdict: request.map(|request| this.gate.decide(sender, request)),
                    }
                }
                StageProjection::Decided { verdict } => {
                    let (Some(verdict), Some((mut request, behind))) =
                        (verdict.take(), this.waiting.take())
                    else {
                        // Only a future that is polled after it was done gets here.
                        return Poll::Ready(StatusCode::INTERNAL_SERVER_ERROR.into_response());
                    };
                    match verdict.decision {
                        Decision::Grant => {
                            if let Some(pass) = this.gate.pass(verdict, &request) {
                                request.extensions_mut().insert(pass);
                            }
                            Stage::Behind {
                                future: behind.call(request),
                            }
                        }
                        Decision::Deny(_) if this.gate.hides_from(&verdict.sender) => {
                            Stage::Concealing {
                                answer: this.gate.conceal(verdict.sender, request),
                            }
                        }
                        Decision::Deny(denial) => {
                            let answer = this.gate.deny(&denial, &verdict.sender, &request);
                            return Poll::Ready(answer);
                        }
                    }
                }
                StageProjection::Behind { future } => {
                    let mut response = ready!(future.poll(context));
                    if this.gate.decided_outside {
                        return Poll::Ready(response);
                    }
                    match response.extensions_mut().remove::<Concealed>() {
                        Some(concealed) => Stage::Concealing {
                            answer: this.gate.conceal_object(concealed),
                        },
                        None => return Poll::Ready(uncacheable_if_missing(response)),
                    }
                }
                StageProjection::Concealing { answer } => return answer.as_mut().poll(context),
            };
            this.stage.set(next);
        }
    }
}

/// A stored 404 or 405 would be given to callers who may see more (RFC 9111 §3 and §4).
pub(crate) fn uncacheable_if_missing(mut response: Response) -> Response {
    if matches!(
        response.status(),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
    ) {
        forbid_storing(response.headers_mut());
    }
    response
}
