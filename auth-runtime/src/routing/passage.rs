//! The way of a request through its gate.
//!
//! A gate authenticates and decides before the handler, its extractors or any layer inside of it
//! see the request. It adds no tower layer: it is the handler that axum calls.

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
use pin_project_lite::pin_project;
use tower::{Service, ServiceExt};

use crate::audit::Watch;
use crate::decision::Decision;
use crate::guard::Concealed;
use crate::head::Head;
use crate::routing::gate::{
    BoxedAnswer, Decided, Gate, Verdict, keep_private, keep_query_secret, uncacheable_if_missing,
};
use crate::space::Authentication;
use crate::witness::{Testimony, Witness};

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
    pub(crate) struct Passage<B: Behind> {
        gate: Arc<Gate>,
        // Gone once the request went on.
        behind: Option<B>,
        witness: Witness,
        #[pin]
        stage: Stage<B::Future>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F> {
        Authenticating { authentication: Authentication, waiting: Option<(Request, Watch)> },
        // What takes longer: a form is read, or a check is asked.
        Judging { judgment: Pin<Box<dyn Future<Output = (Verdict, Request)> + Send>> },
        Judged { judged: Option<(Verdict, Request)> },
        Behind { #[pin] future: F, is_private: bool, is_query_secret: bool },
        Concealing { answer: BoxedAnswer, is_object: bool },
    }
}

impl<B: Behind> Passage<B> {
    fn start(gate: Arc<Gate>, mut request: Request, behind: B) -> Self {
        let witness = Witness::of(request.extensions());
        let outside = if gate.decided_outside {
            request.extensions_mut().remove::<Decided>()
        } else {
            None
        };
        let verdict = match outside {
            Some(decided) if decided.gate == gate.id() => Some(decided.verdict),
            _ if gate.policy.requirement().is_none() => Some(gate.pass_public(&mut request)),
            _ => None,
        };
        let stage = match verdict {
            Some(verdict) => Stage::Judged {
                judged: Some((verdict, request)),
            },
            None if gate.reads_form_of(&request) => {
                let gate = Arc::clone(&gate);
                Stage::Judging {
                    judgment: Box::pin(async move { gate.judge(request).await }),
                }
            }
            None => {
                let watch = gate.watch();
                Stage::Authenticating {
                    authentication: watch.within(|| gate.space.authenticate(Head::of(&request))),
                    waiting: Some((request, watch)),
                }
            }
        };
        Self {
            gate,
            behind: Some(behind),
            witness,
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
                StageProjection::Authenticating {
                    authentication,
                    waiting,
                } => {
                    let Some((_, watch)) = waiting else {
                        return Poll::Ready(polled_too_often());
                    };
                    let polled = watch.within(|| Pin::new(authentication).poll(context));
                    let sender = ready!(polled);
                    let Some((request, watch)) = waiting.take() else {
                        return Poll::Ready(polled_too_often());
                    };
                    match this.gate.decide(sender, &request, &watch) {
                        Ok(verdict) => Stage::Judged {
                            judged: Some((verdict, request)),
                        },
                        Err(sender) => {
                            let gate = Arc::clone(this.gate);
                            Stage::Judging {
                                judgment: Box::pin(async move {
                                    gate.decide_asking(sender, request, &watch).await
                                }),
                            }
                        }
                    }
                }
                StageProjection::Judging { judgment } => Stage::Judged {
                    judged: Some(ready!(judgment.as_mut().poll(context))),
                },
                StageProjection::Judged { judged } => {
                    let (Some((verdict, mut request)), Some(behind)) =
                        (judged.take(), this.behind.take())
                    else {
                        return Poll::Ready(polled_too_often());
                    };
                    let gate = &**this.gate;
                    match &verdict.ruling.decision {
                        Decision::Grant => {
                            let in_query = gate.space.may_stand_in_query(&verdict.sender);
                            let head = Head::of(&request);
                            let is_known_to_caches =
                                gate.space.stand_in_authorization(&verdict.sender, head);
                            let pass = gate.pass(verdict, &request);
                            let is_private = pass.is_some() && !is_known_to_caches;
                            if let Some(pass) = pass {
                                request.extensions_mut().insert(pass);
                            }
                            this.witness.tell(|| Testimony::Entered {
                                declaration: gate.declaration,
                            });
                            Stage::Behind {
                                future: behind.call(request),
                                is_private,
                                is_query_secret: is_private && in_query,
                            }
                        }
                        Decision::Deny(denial) => {
                            let answer = gate.deny(denial, &verdict.sender, &request);
                            this.witness.tell(|| Testimony::Denied {
                                declaration: gate.declaration,
                                denial: denial.clone(),
                            });
                            return Poll::Ready(answer);
                        }
                        // What is unclear is hidden as well.
                        Decision::Hide | Decision::Undecided(_) => Stage::Concealing {
                            answer: gate.conceal(verdict.sender, request),
                            is_object: false,
                        },
                    }
                }
                StageProjection::Behind {
                    future,
                    is_private,
                    is_query_secret,
                } => {
                    let mut response = ready!(future.poll(context));
                    if *is_private {
                        keep_private(response.headers_mut());
                    }
                    if *is_query_secret {
                        keep_query_secret(response.headers_mut());
                    }
                    this.witness.tell(|| this.gate.testimony(&response, true));
                    if this.gate.decided_outside {
                        return Poll::Ready(response);
                    }
                    match response.extensions_mut().remove::<Concealed>() {
                        Some(concealed) => Stage::Concealing {
                            answer: this.gate.conceal_object(concealed),
                            is_object: true,
                        },
                        None => return Poll::Ready(uncacheable_if_missing(response)),
                    }
                }
                StageProjection::Concealing { answer, is_object } => {
                    let response = ready!(answer.as_mut().poll(context));
                    this.witness
                        .tell(|| this.gate.testimony(&response, *is_object));
                    return Poll::Ready(response);
                }
            };
            this.stage.set(next);
        }
    }
}

/// Only a future that is polled after it was done gets here.
fn polled_too_often() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
