//! The decision in front of a handler.

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use crate::audit::Watch;
use crate::caller::Caller;
use crate::check::{State, Surroundings};
use crate::decision::{Decision, Denial};
use crate::declaration::Declaration;
use crate::denial_body::{Asked, DeniedRequest};
use crate::guard::{Concealed, Hiding, ObjectGate, Pass, Told, parameters_of};
use crate::head::Head;
use crate::policy::Policy;
use crate::routing::unknown::{UnknownPath, unmatch, uri_before};
#[cfg(feature = "form")]
use crate::space::read_form;
use crate::space::{Authentication, Case, ProtectionSpace, Ruling, Sender, Used, forbid_storing};
use crate::witness::Testimony;

/// What stands in front of one method of one path.
pub(crate) struct Gate {
    pub(crate) policy: Policy,
    pub(crate) policy_type: TypeId,
    pub(crate) declaration: Declaration,
    /// Whether the handler may ask its guard about objects.
    pub(crate) uses_guard: bool,
    pub(crate) space: ProtectionSpace,
    /// The state of the router that the handler was given to, for checks to see.
    pub(crate) state: Arc<State>,
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
    pub(super) ruling: Ruling,
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
    pub(super) fn public() -> Self {
        Self {
            ruling: Ruling {
                decision: Decision::Grant,
                hides_objects: false,
            },
            sender: Sender::caller(Caller::Anonymous, Used::Nothing),
            head: None,
        }
    }
}

impl Gate {
    /// Tells gates apart while they stand: they are never moved out of their `Arc`.
    pub(super) fn id(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    /// Starts to watch what becomes of a request.
    pub(super) fn watch(&self) -> Watch {
        self.space.watch(Some(&self.declaration))
    }

    fn case<'a>(&'a self, watch: &'a Watch) -> Case<'a> {
        Case {
            policy: &self.policy,
            declaration: Some(self.declaration),
            denies_objects: self.uses_guard,
            path_is_hidden: self.path_is_hidden,
            watch,
        }
    }

    /// Lets a request go on to a public handler.
    pub(super) fn pass_public(&self, request: &mut Request) -> Verdict {
        let head = Head::of(request);
        let is_told = self
            .space
            .report_public(&self.policy, Some(self.declaration), head);
        if is_told {
            request.extensions_mut().insert(Told);
        }
        Verdict::public()
    }

    /// Whether a request carries a form that has to be looked into for credentials.
    pub(super) fn reads_form_of(&self, request: &Request) -> bool {
        #[cfg(feature = "form")]
        return self.space.reads_form_of(request);
        #[cfg(not(feature = "form"))]
        {
            let _ = request;
            false
        }
    }

    /// Decides, unless a check has to be asked first.
    pub(super) fn decide(
        &self,
        sender: Sender,
        request: &Request,
        watch: &Watch,
    ) -> Result<Verdict, Sender> {
        let head = Head::of(request);
        match self.space.rule(&self.case(watch), &sender, head) {
            Ok(ruling) => Ok(self.verdict(ruling, sender, || self.head_for_fallback(request))),
            Err(_) => Err(sender),
        }
    }

    /// Decides, and asks the checks.
    pub(super) async fn decide_asking(
        &self,
        sender: Sender,
        request: Request,
        watch: &Watch,
    ) -> (Verdict, Request) {
        // A body cannot be shared with whoever waits for an answer; a head can.
        let (mut head, body) = request.into_parts();
        let parameters = parameters_of(&mut head).await;
        let surroundings = Surroundings {
            head: Head::from(&head),
            parameters: &parameters,
            state: &*self.state,
        };
        let ruling = self
            .space
            .rule_asking(&self.case(watch), &sender, surroundings)
            .await;
        let request = Request::from_parts(head, body);
        let verdict = self.verdict(ruling, sender, || self.head_for_fallback(&request));
        (verdict, request)
    }

    /// Finds out who sends a request and decides, with all that this may take.
    pub(super) async fn judge(&self, request: Request) -> (Verdict, Request) {
        #[cfg(feature = "form")]
        let request = if self.reads_form_of(&request) {
            read_form(request).await
        } else {
            request
        };
        let watch = self.watch();
        let authentication = self.space.authenticate(Head::of(&request));
        self.judge_when(authentication, request, watch).await
    }

    /// Decides once it is known who sends a request.
    pub(super) async fn judge_when(
        &self,
        authentication: Authentication,
        request: Request,
        watch: Watch,
    ) -> (Verdict, Request) {
        let sender = watch.around(authentication).await;
        match self.decide(sender, &request, &watch) {
            Ok(verdict) => (verdict, request),
            Err(sender) => self.decide_asking(sender, request, &watch).await,
        }
    }

    fn verdict(
        &self,
        ruling: Ruling,
        sender: Sender,
        head: impl FnOnce() -> Option<Arc<Parts>>,
    ) -> Verdict {
        Verdict {
            head: if ruling.decision == Decision::Grant {
                head()
            } else {
                None
            },
            ruling,
            sender,
        }
    }

    /// What the guard will ask for; that of a public handler asks for nothing.
    pub(super) fn pass(&self, verdict: Verdict, request: &Request) -> Option<Pass> {
        self.policy.requirement()?;
        let caller = self.space.caller_for(&self.policy, &verdict.sender)?;
        let object_gate = || ObjectGate {
            space: self.space.clone(),
            used: self.space.scheme_used(Some(&self.policy), &verdict.sender),
            request: self.denied_request(request),
            route: self.space.route_to_report(Head::of(request)),
            hides: verdict.ruling.hides_objects,
            hiding: Hiding::ByGate {
                path_is_hidden: self.path_is_hidden,
                head: verdict.head,
            },
        };
        let objects = self.uses_guard.then(|| Arc::new(object_gate()));
        Some(Pass {
            policy: self.policy_type,
            caller: caller.clone(),
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
    pub(super) fn deny(&self, denial: &Denial, sender: &Sender, request: &Request) -> Response {
        let asked = Asked::Now(Head::of(request));
        let answer = self.space.answer(Some(&self.policy), denial, sender, asked);
        answer.map(axum::body::Body::from)
    }

    /// Who gave an answer that is no denial of this gate's: the handler, which may have denied an
    /// object, or what answers unknown paths.
    pub(super) fn testimony(&self, response: &Response, is_by_handler: bool) -> Testimony {
        let declaration = self.declaration;
        match is_by_handler {
            true => Testimony::Handler {
                declaration,
                status: response.status(),
            },
            false => Testimony::Hidden {
                declaration,
                fallback: self.unknown.declaration(),
            },
        }
    }

    /// The answer that a path that was never there would give.
    pub(super) fn conceal(&self, sender: Sender, request: Request) -> Answer {
        self.unknown.answer(sender, unmatch(request, self.stripped))
    }

    /// Puts the answer of an unknown path in place of a denial that the handler returned.
    pub(super) fn conceal_object(&self, concealed: Concealed) -> Answer {
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
            None => Answer::Now(
                self.unknown
                    .answer_by_space(&sender, Asked::Before(&request)),
            ),
        }
    }
}

/// An answer, now or later.
pub(crate) enum Answer {
    Now(Response),
    Later(BoxedAnswer),
}

impl Answer {
    pub(super) async fn ready(self) -> Response {
        match self {
            Self::Now(response) => response,
            Self::Later(answer) => answer.await,
        }
    }
}

pub(crate) type BoxedAnswer = Pin<Box<dyn Future<Output = Response> + Send>>;

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

/// Keeps what stands in the query from whomever the page links to, and from the logs of whatever it
/// loads. Not `no-referrer`: a form of the page would be sent with `Origin: null` (Fetch, "append a
/// request `Origin` header"), which looks like another site's.
pub(super) fn keep_query_secret(headers: &mut http::HeaderMap) {
    const ORIGIN_ONLY: HeaderValue = HeaderValue::from_static("strict-origin");
    let mut lines = headers.get_all(header::REFERRER_POLICY).iter();
    let is_strict = lines.next().is_some_and(|line| line == "no-referrer");
    if !is_strict || lines.next().is_some() {
        headers.insert(header::REFERRER_POLICY, ORIGIN_ONLY);
    }
}

/// Keeps an answer that not everybody gets out of shared caches, for requests of which these cannot
/// know: they spare the answers to those with `Authorization` only (RFC 9111 §3.5; RFC 6750 §2.3).
pub(super) fn keep_private(headers: &mut http::HeaderMap) {
    const PRIVATE: HeaderValue = HeaderValue::from_static("private");
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, PRIVATE);
        return;
    }
    let lines = headers.get_all(header::CACHE_CONTROL).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let directives = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    let is = |directive: &str, name: &str| {
        let end = directive.find('=').unwrap_or(directive.len());
        directive
            .get(..end)
            .is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    let mut kept = vec!["private"];
    for directive in directives {
        // `private="Set-Cookie"` would be about that field only.
        let is_enough = directive.eq_ignore_ascii_case("private");
        if is_enough || is(directive, "no-store") {
            return;
        }
        let opens =
            is(directive, "public") || is(directive, "s-maxage") || is(directive, "private");
        if !directive.is_empty() && !opens {
            kept.push(directive);
        }
    }
    if let Ok(value) = HeaderValue::try_from(kept.join(", ")) {
        headers.insert(header::CACHE_CONTROL, value);
    }
}
