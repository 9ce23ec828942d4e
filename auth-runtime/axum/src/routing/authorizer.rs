//! Authorization in front of a handler.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::slice;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth_runtime_core::adapter::{
    Authentication, AuthenticationFuture, Authorization, Form, RequestView, Route, State,
    Surroundings, Target, Watch, forbid_storing,
};
use auth_runtime_core::{Caller, Check, Denial, HandlerLocation, ProtectionSpace, RequestSnapshot};
use auth_runtime_policy::Policy;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use crate::guard::{Concealed, ObjectAuthorizer, ObjectRequest, Proof, parameters_of};
use crate::probe::{Probe, Responder};
use crate::request::{
    authenticate, forget_form, head_of, head_of_parts, read_form, route_to_report,
};
use crate::routing::fallback::{Fallback, strip_match};
use crate::routing::handover::RouteAuthorization;

/// Authorizes the requests for one endpoint: one method of one path.
pub(crate) struct RouteAuthorizer {
    /// On a path with a hidden method, it is [hidden](Policy::on_hidden_path) as well.
    pub(crate) policy: Cow<'static, Policy>,
    pub(crate) checks: &'static [Check],
    pub(crate) location: HandlerLocation,
    /// True if the handler uses its guard, and can therefore deny objects.
    pub(crate) uses_guard: bool,
    pub(crate) space: ProtectionSpace,
    /// The state of the handler's router, for checks.
    pub(crate) state: Arc<State>,
    pub(crate) fallback: Fallback,
    /// True if an outer [`ConcealLayer`](super::conceal::ConcealLayer) makes the decision.
    pub(crate) decided_outside: bool,
}

/// A decision, available now or later.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made"
)]
pub(super) enum AuthorizationOrFuture {
    Now(RouteAuthorization, Request),
    Later(BoxedAuthorization),
}

pub(super) type BoxedAuthorization =
    Pin<Box<dyn Future<Output = (RouteAuthorization, Request)> + Send>>;

impl RouteAuthorizer {
    /// Starts to measure a decision.
    fn watch(&self) -> Watch {
        self.space.watch(Some(&self.location))
    }

    fn route(&self) -> Route<'_> {
        Route {
            policy: &self.policy,
            checks: self.checks,
            location: Some(self.location),
            denies_objects: self.uses_guard,
        }
    }

    /// Grants a request to a public handler.
    fn grant_public(&self, request: &Request) -> Authorization {
        let head = head_of(request);
        self.space
            .report_public(&self.policy, Some(self.location), head);
        Authorization::public()
    }

    /// Starts to verify the credentials of a request.
    fn authenticate(&self, request: &Request) -> AuthenticationFuture {
        authenticate(&self.space, head_of(request), Target::of(&self.policy))
    }

    /// Decides; returns the authentication if a check has to run first.
    fn decide(
        &self,
        authentication: Authentication,
        request: &Request,
        watch: &Watch,
    ) -> Result<Authorization, Authentication> {
        let head = head_of(request);
        self.space.decide(self.route(), authentication, head, watch)
    }

    /// Decides, and runs the checks.
    async fn decide_with_checks(
        self: Arc<Self>,
        authentication: Authentication,
        request: Request,
        watch: Watch,
    ) -> (RouteAuthorization, Request) {
        // The body is split off, since the future of a check may move between threads and the body
        // is not `Sync`.
        let (mut head, body) = request.into_parts();
        let parameters = parameters_of(&mut head).await;
        let surroundings = Surroundings {
            head: head_of_parts(&head),
            parameters: parameters.as_deref(),
            state: &*self.state,
        };
        let authorization = self
            .space
            .decide_with_checks(self.route(), authentication, surroundings, &watch)
            .await;
        (
            RouteAuthorization::new(authorization),
            Request::from_parts(head, body),
        )
    }

    /// The spaces that search the form of a request for credentials. The handler consumes the form, so
    /// where it can conceal an object, all spaces of the application search it before.
    fn spaces_with_forms(&self) -> &[ProtectionSpace] {
        match self.can_conceal_objects() {
            true => self.fallback.spaces(),
            false => slice::from_ref(&self.space),
        }
    }

    fn reads_form_of(&self, request: &Request) -> bool {
        let mut spaces = self.spaces_with_forms().iter();
        let target = Target::of(&self.policy);
        spaces.any(|space| space.reads_form_of(head_of(request), target))
    }

    async fn read_forms(&self, mut request: Request) -> Request {
        let target = Target::of(&self.policy);
        for space in self.spaces_with_forms() {
            request = read_form(space, target, request).await;
        }
        request
    }

    /// Authenticates and decides: at once, unless a form has to be read, credentials have to be
    /// verified elsewhere, or a check has to run.
    pub(super) fn authorize(self: &Arc<Self>, request: Request) -> AuthorizationOrFuture {
        if self.policy.requirement().is_none() {
            let authorization = self.grant_public(&request);
            return AuthorizationOrFuture::Now(RouteAuthorization::new(authorization), request);
        }
        let authorizer = || Arc::clone(self);
        if self.reads_form_of(&request) {
            return AuthorizationOrFuture::Later(Box::pin(
                authorizer().authorize_with_form(request),
            ));
        }
        let watch = self.watch();
        let authentication = match watch.within(|| self.authenticate(&request)) {
            AuthenticationFuture::Done(authentication) => authentication,
            pending => {
                let decided = authorizer().authorize_when(pending, request, watch);
                return AuthorizationOrFuture::Later(Box::pin(decided));
            }
        };
        match self.decide(authentication, &request, &watch) {
            Ok(authorization) => {
                AuthorizationOrFuture::Now(RouteAuthorization::new(authorization), request)
            }
            Err(authentication) => {
                let decided = authorizer().decide_with_checks(authentication, request, watch);
                AuthorizationOrFuture::Later(Box::pin(decided))
            }
        }
    }

    async fn authorize_with_form(
        self: Arc<Self>,
        mut request: Request,
    ) -> (RouteAuthorization, Request) {
        request = self.read_forms(request).await;
        let watch = self.watch();
        let authentication = self.authenticate(&request);
        let form = forget_form(&mut request);
        let (decided, request) = self.authorize_when(authentication, request, watch).await;
        (RouteAuthorization { form, ..decided }, request)
    }

    /// Decides when the authentication is complete.
    async fn authorize_when(
        self: Arc<Self>,
        authentication: AuthenticationFuture,
        request: Request,
        watch: Watch,
    ) -> (RouteAuthorization, Request) {
        let authentication = watch.around(authentication).await;
        match self.decide(authentication, &request, &watch) {
            Ok(authorization) => (RouteAuthorization::new(authorization), request),
            // Boxed, so that only requests with checks pay for the size of that future.
            Err(authentication) => {
                Box::pin(self.decide_with_checks(authentication, request, watch)).await
            }
        }
    }

    /// Uses a decision that was made in front of layers, unless they changed the form that it depends
    /// on.
    pub(super) fn confirm(
        self: &Arc<Self>,
        decided: RouteAuthorization,
        request: Request,
    ) -> AuthorizationOrFuture {
        let authentication = decided.authorization.authentication.to_policy();
        let form = match &decided.form {
            Some(form) if !authentication.is_in_authorization() => form.clone(),
            _ => return AuthorizationOrFuture::Now(decided, request),
        };
        let authorizer = Arc::clone(self);
        AuthorizationOrFuture::Later(Box::pin(async move {
            let mut request = authorizer.read_forms(request).await;
            if forget_form(&mut request).is_some_and(|own| own == form) {
                return (decided, request);
            }
            authorizer.authorize_with_form(request).await
        }))
    }

    /// The parts of a request that the denial of an object depends on.
    pub(super) fn object_request(&self, request: &Request, form: Option<&Bytes>) -> ObjectRequest {
        ObjectRequest {
            snapshot: RequestSnapshot::of(head_of(request)),
            route: route_to_report(&self.space, request.extensions()),
            head: self.head_for_fallback(request, form),
        }
    }

    /// Returns whether a denial of an object by the handler can be concealed.
    pub(super) fn can_conceal_objects(&self) -> bool {
        self.uses_guard && self.policy.is_hidden()
    }

    /// Returns whether the handler can deny objects.
    pub(super) fn can_deny_objects(&self) -> bool {
        self.uses_guard && self.policy.requirement().is_some()
    }

    /// The proof for a guard. That of a public handler contains no identity.
    pub(super) fn proof(
        &self,
        authorization: Authorization,
        request: Option<Box<ObjectRequest>>,
    ) -> Option<Proof> {
        if self.policy.requirement().is_none() {
            return Some(Proof {
                caller: Caller::Anonymous,
                objects: None,
            });
        }
        let Authorization {
            authentication,
            conceal,
            ..
        } = authorization;
        let caller = self
            .space
            .caller_for(&self.policy, &authentication)?
            .clone();
        let objects = request.map(|request| {
            Arc::new(ObjectAuthorizer {
                space: self.space.clone(),
                authentication,
                request: *request,
                conceal,
                has_router: true,
            })
        });
        Some(Proof { caller, objects })
    }

    /// Copies the head of a request, but only if a fallback of the service may have to respond for
    /// a concealed object: copying allocates.
    fn head_for_fallback(&self, request: &Request, form: Option<&Bytes>) -> Option<Arc<Parts>> {
        if !(self.policy.is_hidden() && self.fallback.needs_request()) {
            return None;
        }
        let mut copy = Request::new(Body::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        *copy.headers_mut() = request.headers().clone();
        *copy.extensions_mut() = request.extensions().clone();
        if let Some(form) = form {
            copy.extensions_mut().insert(Form::Read(form.clone()));
        }
        Some(Arc::new(strip_match(copy).into_parts().0))
    }

    /// The response to a denied request.
    pub(super) fn deny(
        &self,
        denial: &Denial,
        authentication: &Authentication,
        request: &Request,
    ) -> Response {
        let asked = RequestView::Now(head_of(request));
        let answer = self
            .space
            .answer(Some(&self.policy), denial, authentication, asked);
        answer.map(Body::from)
    }

    /// The responder of the handler, which may have denied an object.
    pub(super) fn handled(&self, response: &Response) -> Responder {
        Responder::Handler {
            location: self.location,
            status: response.status(),
        }
    }

    /// The record of a denial by the policy that is concealed.
    pub(super) fn hidden(&self, path: &str) -> Responder {
        Responder::Hidden {
            location: self.location,
            fallback: self.fallback.location_at(path),
        }
    }

    /// Responds as for an unknown path. Also returns the responder.
    pub(super) fn conceal(
        &self,
        authentication: Authentication,
        request: Request,
    ) -> (Responder, ResponseOrFuture) {
        let request = strip_match(request);
        let responder = self.hidden(request.uri().path());
        let response = self
            .fallback
            .respond_to(&self.space, authentication, request);
        (responder, response)
    }

    /// Responds as for an unknown path, in place of a denial that the handler returned.
    pub(super) fn conceal_object(&self, concealed: Concealed) -> ResponseOrFuture {
        let Concealed {
            authentication,
            request,
            ..
        } = concealed;
        match request.head {
            Some(head) => {
                let head = Arc::unwrap_or_clone(head);
                let request = Request::from_parts(head, Body::empty());
                self.fallback
                    .respond_to(&self.space, authentication, request)
            }
            None => {
                let request = RequestView::Before(&request.snapshot);
                ResponseOrFuture::Now(self.fallback.respond_by_space(&authentication, request))
            }
        }
    }
}

/// A response, available now or later.
pub(crate) enum ResponseOrFuture {
    Now(Response),
    Later(Pin<Box<dyn Future<Output = Response> + Send>>),
}

impl ResponseOrFuture {
    /// Returns the same response, with a record of its responder when it is available.
    pub(super) fn recorded(self, probe: Probe, responder: Responder) -> Self {
        match self {
            response if !probe.is_listening() => response,
            Self::Now(response) => {
                probe.record(|| responder);
                Self::Now(response)
            }
            Self::Later(response) => Self::Later(Box::pin(async move {
                let response = response.await;
                probe.record(|| responder);
                response
            })),
        }
    }
}

impl Future for ResponseOrFuture {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        match &mut *self {
            Self::Now(response) => Poll::Ready(std::mem::take(response)),
            Self::Later(response) => response.as_mut().poll(context),
        }
    }
}

/// Forbids storing a 404 or 405, which a cache could otherwise send to callers with more rights
/// (RFC 9111 §3 and §4).
pub(crate) fn uncacheable_if_missing(mut response: Response) -> Response {
    if matches!(
        response.status(),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
    ) {
        forbid_storing(response.headers_mut());
    }
    response
}

/// Keeps the query out of the `Referer` of requests to linked pages and embedded resources. The
/// policy is not `no-referrer`: browsers would then send a form of the page with `Origin: null`
/// (Fetch, "append a request `Origin` header"), like a cross-site request.
pub(super) fn keep_query_secret(headers: &mut http::HeaderMap) {
    const ORIGIN_ONLY: HeaderValue = HeaderValue::from_static("strict-origin");
    let mut lines = headers.get_all(header::REFERRER_POLICY).iter();
    let is_strict = lines.next().is_some_and(|line| line == "no-referrer");
    if !is_strict || lines.next().is_some() {
        headers.insert(header::REFERRER_POLICY, ORIGIN_ONLY);
    }
}

/// Excludes a response to authenticated callers from shared caches. These exclude only responses to
/// requests with `Authorization` on their own (RFC 9111 §3.5; RFC 6750 §2.3).
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
        // `private="Set-Cookie"` applies to that field only.
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
