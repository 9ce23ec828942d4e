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

use crate::decision::Decision;
use crate::guard::Concealed;
use crate::head::Head;
use crate::routing::gate::{
    Answer, BoxedAnswer, Decided, Gate, Verdict, keep_private, keep_query_secret,
    uncacheable_if_missing,
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
        witness: Witness,
        #[pin]
        stage: Stage<B, B::Future>,
    }
}

pin_project! {
    // What takes long is boxed: a passage is moved some times before it is polled, and most go straight
    // through.
    #[project = StageProjection]
    enum Stage<B, F> {
        // Somebody is asked who sends it, a form is read, or a check is asked.
        Judging { judgment: Judgment, behind: Option<B> },
        Behind { #[pin] future: F, is_private: bool, is_query_secret: bool },
        Answering { answer: BoxedAnswer, is_object: bool },
        Answered { answer: Option<Response> },
    }
}

/// What becomes of a request, later.
type Judgment = Pin<Box<dyn Future<Output = (Verdict, Request)> + Send>>;

/// What becomes of a request, now or later.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made"
)]
enum Judged {
    Now(Verdict, Request),
    Later(Judgment),
}

impl Judged {
    fn start(gate: &Arc<Gate>, mut request: Request) -> Self {
        if gate.decided_outside
            && let Some(decided) = request.extensions_mut().remove::<Decided>()
            && decided.gate == gate.id()
        {
            return Self::Now(decided.verdict, request);
        }
        if gate.policy.requirement().is_none() {
            return Self::Now(gate.pass_public(&mut request), request);
        }
        if gate.reads_form_of(&request) {
            let gate = Arc::clone(gate);
            return Self::Later(Box::pin(async move { gate.judge(request).await }));
        }
        let watch = gate.watch();
        let authentication = watch.within(|| gate.space.authenticate(Head::of(&request)));
        let sender = match authentication {
            Authentication::Done(sender) => sender,
            pending @ Authentication::Verifying { .. } => {
                let gate = Arc::clone(gate);
                return Self::Later(Box::pin(async move {
                    gate.judge_when(pending, request, watch).await
                }));
            }
        };
        match gate.decide(sender, &request, &watch) {
            Ok(verdict) => Self::Now(verdict, request),
            Err(sender) => {
                let gate = Arc::clone(gate);
                Self::Later(Box::pin(async move {
                    gate.decide_asking(sender, request, &watch).await
                }))
            }
        }
    }
}

impl<B: Behind> Passage<B> {
    fn start(gate: Arc<Gate>, request: Request, behind: B) -> Self {
        let witness = Witness::of(request.extensions());
        let stage = match Judged::start(&gate, request) {
            Judged::Now(verdict, request) => {
                Stage::judged((&gate, &witness), verdict, request, behind)
            }
            Judged::Later(judgment) => Stage::Judging {
                judgment,
                behind: Some(behind),
            },
        };
        Self {
            gate,
            witness,
            stage,
        }
    }
}

impl<B: Behind> Stage<B, B::Future> {
    /// Lets a request go on, or answers it.
    fn judged(
        (gate, witness): (&Gate, &Witness),
        verdict: Verdict,
        mut request: Request,
        behind: B,
    ) -> Self {
        match &verdict.ruling.decision {
            Decision::Grant => {
                let in_query = gate.space.may_stand_in_query(&verdict.sender);
                let is_known_to_caches = verdict.sender.stands_in_authorization();
                let pass = gate.pass(verdict, &request);
                let is_private = pass.is_some() && !is_known_to_caches;
                if let Some(pass) = pass {
                    request.extensions_mut().insert(pass);
                }
                witness.tell(|| Testimony::Entered {
                    declaration: gate.declaration,
                });
                Self::Behind {
                    future: behind.call(request),
                    is_private,
                    is_query_secret: is_private && in_query,
                }
            }
            Decision::Deny(denial) => {
                witness.tell(|| Testimony::Denied {
                    declaration: gate.declaration,
                    denial: denial.clone(),
                });
                Self::Answered {
                    answer: Some(gate.deny(denial, &verdict.sender, &request)),
                }
            }
            // What is unclear is hidden as well.
            Decision::Hide | Decision::Undecided(_) => {
                let answer = gate.conceal(verdict.sender, request);
                Self::concealed((gate, witness), answer, false)
            }
        }
    }

    /// Answers as an unknown path would, in place of a denial: of the gate's, or of an object.
    fn concealed((gate, witness): (&Gate, &Witness), answer: Answer, is_object: bool) -> Self {
        match answer {
            Answer::Now(response) => {
                witness.tell(|| gate.testimony(&response, is_object));
                Self::Answered {
                    answer: Some(response),
                }
            }
            Answer::Later(answer) => Self::Answering { answer, is_object },
        }
    }
}

impl<B: Behind> Future for Passage<B> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let mut this = self.project();
        loop {
            let next = match this.stage.as_mut().project() {
                StageProjection::Judging { judgment, behind } => {
                    let (verdict, request) = ready!(judgment.as_mut().poll(context));
                    let Some(behind) = behind.take() else {
                        return Poll::Ready(polled_too_often());
                    };
                    Stage::judged((this.gate, this.witness), verdict, request, behind)
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
                        Some(concealed) => {
                            let answer = this.gate.conceal_object(concealed);
                            Stage::concealed((this.gate, this.witness), answer, true)
                        }
                        None => return Poll::Ready(uncacheable_if_missing(response)),
                    }
                }
                StageProjection::Answering { answer, is_object } => {
                    let response = ready!(answer.as_mut().poll(context));
                    this.witness
                        .tell(|| this.gate.testimony(&response, *is_object));
                    return Poll::Ready(response);
                }
                StageProjection::Answered { answer } => {
                    return Poll::Ready(answer.take().unwrap_or_else(polled_too_often));
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
