//! Authorization in front of a handler.

use std::borrow::Cow;
use std::slice;
use std::sync::Arc;

use auth_runtime_core::adapter::{
    Authentication, AuthenticationFuture, Authorization, RequestBody, RequestView, Route,
    RouteConstants, Space, State, Surroundings, Target, UNKNOWN_PATH, Watch,
};
use auth_runtime_core::{
    Caller, Denial, DenialDetails, HandlerLocation, RequestSnapshot, ServiceFunction,
};
use auth_runtime_policy::Policy;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use http::request::Parts;

use crate::exchange::checked_parts::CheckedParts;
use crate::exchange::fallback::{Fallback, OtherSpaces, strip_match};
use crate::exchange::kept_body::KeptBody;
use crate::exchange::matched::Matched;
use crate::exchange::response::ResponseOrFuture;
use crate::exchange::secrecy::{Secrecy, SharedCaches};
use crate::guard::{KeptRequest, ObjectAuthorizer, Proof};
use crate::request::{
    authenticate, forget_body, head_of, head_of_parts, parameters_in, parts_to_report,
    path_parameters, read_body,
};

/// Authorizes the requests for one endpoint: one method of one path.
pub(crate) struct RouteAuthorizer {
    /// On a path with a hidden method, it is [hidden](Policy::on_hidden_path) as well.
    pub(crate) policy: Cow<'static, Policy>,
    pub(crate) functions: &'static [ServiceFunction],
    pub(crate) matched: Matched,
    /// Whether the route matches all paths below a prefix.
    pub(crate) is_subtree: bool,
    /// Whether the handler uses its guard, and can therefore deny objects.
    pub(crate) uses_guard: bool,
    pub(crate) space: Arc<Space>,
    pub(crate) constants: Arc<RouteConstants>,
    /// The value of `Vary`, if the response depends on an optional identity.
    pub(crate) vary: Option<HeaderValue>,
    /// The state of the handler's router, for functions of the policy.
    pub(crate) state: Arc<State>,
    pub(crate) fallback: Fallback,
}

/// The decision about a request, and the parts of the request that it was made on.
pub(crate) struct RouteAuthorization {
    pub(super) authentication: Authentication,
    pub(super) authorization: Authorization,
    /// The body of the request, if it was read before.
    pub(super) body: Option<Bytes>,
    /// The request in front of the layers, if the decision was made there.
    pub(super) in_front: Option<Box<KeptRequest>>,
    /// The parts of that request that the requirements depend on, if they depend on any.
    pub(super) checked: Option<Box<CheckedParts>>,
}

impl RouteAuthorization {
    fn new(authentication: Authentication, authorization: Authorization) -> Self {
        Self {
            authentication,
            authorization,
            body: None,
            in_front: None,
            checked: None,
        }
    }
}

/// A decision, or the work that it waits for.
pub(super) enum AuthorizationOrPending {
    Now(RouteAuthorization),
    Later(PendingAuthorization),
}

/// The work that a decision waits for.
pub(super) enum PendingAuthorization {
    /// The body has to be read. It is compared with that of a decision in front of layers, if there is one.
    Body(Option<RouteAuthorization>),
    /// Credentials are being verified.
    Credentials(AuthenticationFuture, Watch),
    /// A check or a decision point has to run.
    Checks(Authentication, Watch),
    /// The decision in front of layers has to be made again, for the same authentication.
    Again(RouteAuthorization),
}

impl RouteAuthorizer {
    /// Creates the authorizer of an unknown path or method. It decides as that of a hidden path does, so
    /// that the response takes the same time, and conceals every request.
    pub(super) fn of_unknown(matched: Matched, fallback: Fallback) -> Self {
        Self {
            policy: Cow::Borrowed(&UNKNOWN_PATH),
            functions: &[],
            matched,
            is_subtree: false,
            uses_guard: false,
            space: Arc::clone(fallback.first_space()),
            constants: Arc::new(fallback.first_space().constants_of(&UNKNOWN_PATH)),
            vary: None,
            state: Arc::new(()),
            fallback,
        }
    }

    /// Starts to measure a decision.
    pub(super) fn watch(&self) -> Watch {
        self.space.watch(self.matched.location())
    }

    fn route(&self) -> Route<'_> {
        Route {
            policy: &self.policy,
            functions: self.functions,
            location: self.matched.location(),
            uses_guard: self.uses_guard,
            constants: Some(&self.constants),
            is_unknown_path: !self.matched.exists(),
        }
    }

    /// Grants a request to a public handler.
    fn grant_public(&self, request: &Request) -> RouteAuthorization {
        let head = head_of(request);
        self.space
            .report_public(&self.policy, self.matched.location(), head);
        RouteAuthorization::new(Authentication::anonymous(), Authorization::public())
    }

    /// Starts to verify the credentials of a request.
    fn authenticate(&self, request: &Request) -> AuthenticationFuture {
        authenticate(&self.space, head_of(request), Target::of(&self.policy))
    }

    /// Decides; `None` if a check has to run first.
    fn decide(
        &self,
        authentication: &Authentication,
        request: &Request,
        watch: &Watch,
    ) -> Option<Authorization> {
        let head = head_of(request);
        self.space.decide(self.route(), authentication, head, watch)
    }

    /// Decides, and runs the checks.
    pub(super) async fn decide_with_checks(
        &self,
        authentication: Authentication,
        request: &mut Request,
        watch: Watch,
    ) -> RouteAuthorization {
        // The body is split off, since the future of a check may move between threads and the body
        // is not `Sync`.
        let (mut head, body) = std::mem::take(request).into_parts();
        let path = path_parameters(&mut head).await;
        let parameters = parameters_in(&path);
        let surroundings = Surroundings {
            head: head_of_parts(&head),
            parameters: parameters.as_deref(),
            state: &*self.state,
        };
        let authorization = self
            .space
            .decide_with_checks(&self.route(), &authentication, &surroundings, &watch)
            .await;
        *request = Request::from_parts(head, body);
        RouteAuthorization::new(authentication, authorization)
    }

    /// The spaces that read the body of a request before the decision. The handler consumes the body, so
    /// where it can conceal an object, all spaces of the application read it before.
    fn spaces_that_read(&self) -> &[Arc<Space>] {
        if self.can_conceal_objects() {
            self.fallback.spaces()
        } else {
            slice::from_ref(&self.space)
        }
    }

    fn reads_body_of(&self, request: &Request) -> bool {
        let mut spaces = self.spaces_that_read().iter();
        let target = Target::of(&self.policy);
        spaces.any(|space| space.reads_body_of(head_of(request), target))
    }

    async fn read_bodies(&self, request: &mut Request) {
        let target = Target::of(&self.policy);
        for space in self.spaces_that_read() {
            let max = self.fallback.max_body();
            *request = read_body(space, target, max, std::mem::take(request)).await;
        }
    }

    /// Authenticates and decides: at once, unless a body has to be read, credentials have to be
    /// verified elsewhere, or a check has to run.
    pub(super) fn authorize(&self, request: &Request) -> AuthorizationOrPending {
        if self.policy.ignores_credentials() {
            return AuthorizationOrPending::Now(self.grant_public(request));
        }
        if self.reads_body_of(request) {
            return AuthorizationOrPending::Later(PendingAuthorization::Body(None));
        }
        let watch = self.watch();
        let authentication = match watch.within(|| self.authenticate(request)) {
            AuthenticationFuture::Done(authentication) => authentication,
            pending => {
                let pending = PendingAuthorization::Credentials(pending, watch);
                return AuthorizationOrPending::Later(pending);
            }
        };
        match self.decide(&authentication, request, &watch) {
            Some(authorization) => {
                AuthorizationOrPending::Now(RouteAuthorization::new(authentication, authorization))
            }
            None => {
                let pending = PendingAuthorization::Checks(authentication, watch);
                AuthorizationOrPending::Later(pending)
            }
        }
    }

    /// Decides when the work is complete. The futures of less frequent work are boxed, so that only requests
    /// with that work pay for their size.
    pub(super) async fn complete(
        &self,
        pending: PendingAuthorization,
        request: &mut Request,
    ) -> RouteAuthorization {
        let (authentication, watch) = match pending {
            PendingAuthorization::Body(decided) => {
                return Box::pin(self.authorize_with_body(decided, request)).await;
            }
            PendingAuthorization::Credentials(authentication, watch) => {
                let authentication = watch.around(authentication).await;
                if let Some(authorization) = self.decide(&authentication, request, &watch) {
                    return RouteAuthorization::new(authentication, authorization);
                }
                (authentication, watch)
            }
            PendingAuthorization::Checks(authentication, watch) => (authentication, watch),
            PendingAuthorization::Again(decided) => {
                return Box::pin(self.decide_again(decided, request)).await;
            }
        };
        Box::pin(self.decide_with_checks(authentication, request, watch)).await
    }

    /// Reads the body, and decides, unless the decision in front of layers was about the same body.
    async fn authorize_with_body(
        &self,
        decided: Option<RouteAuthorization>,
        request: &mut Request,
    ) -> RouteAuthorization {
        self.read_bodies(request).await;
        if let Some(decided) = decided {
            if forget_body(request) == decided.body {
                return if decided.is_outdated(request) {
                    self.decide_again(decided, request).await
                } else {
                    decided
                };
            }
            self.read_bodies(request).await;
        }
        let watch = self.watch();
        let authentication = self.authenticate(request);
        let body = forget_body(request);
        let pending = PendingAuthorization::Credentials(authentication, watch);
        let decided = self.complete(pending, request).await;
        RouteAuthorization { body, ..decided }
    }

    /// The parts of a request that the denial of an object depends on.
    pub(super) fn kept_request(&self, request: &Request, body: Option<&Bytes>) -> KeptRequest {
        KeptRequest {
            snapshot: RequestSnapshot::of(head_of(request)),
            reported: parts_to_report(&self.space, head_of(request)),
            head: self.head_for_fallback(request, body),
        }
    }

    /// Whether a denial of an object by the handler can be concealed.
    fn can_conceal_objects(&self) -> bool {
        self.uses_guard && self.policy.is_hidden()
    }

    /// Keeps the body of a request for a fallback, if the handler can deny an object and the denial is concealed.
    pub(super) fn keep_body(&self, request: &mut Request) -> Option<KeptBody> {
        if self.can_conceal_objects() {
            KeptBody::of(request)
        } else {
            None
        }
    }

    /// The proof for the guard of a granted request. It sets the parts of the request that the response must
    /// not reveal. That of a public handler contains no identity. `None` if there is no caller.
    pub(super) fn grant(
        &self,
        decided: RouteAuthorization,
        request: &Request,
        secrecy: &mut Secrecy,
    ) -> Option<Proof> {
        if self.policy.ignores_credentials() {
            return Some(Proof {
                caller: Caller::Anonymous,
                objects: None,
            });
        }
        let authentication = &decided.authentication;
        let caller = self.space.caller_for(&self.policy, authentication)?;
        let caller = caller.clone();
        let in_authorization = authentication.to_policy().is_in_authorization();
        *secrecy = Secrecy {
            shared_caches: if self.policy.has_optional_identity() {
                match caller.identity() {
                    Some(_) => SharedCaches::Excluded,
                    None => SharedCaches::Allowed,
                }
            } else if in_authorization {
                SharedCaches::ByDirective
            } else {
                SharedCaches::Excluded
            },
            is_query_secret: !in_authorization && self.space.may_stand_in_query(authentication),
        };
        let objects = if self.uses_guard {
            let RouteAuthorization {
                authentication,
                authorization,
                body,
                in_front,
                ..
            } = decided;
            let own = || Box::new(self.kept_request(request, body.as_ref()));
            Some(Arc::new(ObjectAuthorizer {
                space: Arc::clone(&self.space),
                authentication,
                request: *in_front.unwrap_or_else(own),
                data: authorization.data.or_else(|| self.space.request_data()),
                conceal: authorization.conceal,
                has_router: true,
            }))
        } else {
            None
        };
        Some(Proof { caller, objects })
    }

    /// Copies the head of a request, but only if the response to a concealed object may depend on
    /// more than its snapshot: copying allocates.
    fn head_for_fallback(&self, request: &Request, body: Option<&Bytes>) -> Option<Arc<Parts>> {
        if !(self.policy.is_hidden() && self.fallback.needs_request()) {
            return None;
        }
        let mut copy = Request::new(Body::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        *copy.headers_mut() = request.headers().clone();
        *copy.extensions_mut() = request.extensions().clone();
        if let Some(body) = body {
            copy.extensions_mut()
                .insert(RequestBody::Read(body.clone()));
        }
        Some(Arc::new(copy.into_parts().0))
    }

    /// The response to a denied request.
    pub(super) fn deny(
        &self,
        denial: &Denial,
        decided: &RouteAuthorization,
        request: &Request,
    ) -> Response {
        let request = RequestView::Head(head_of(request));
        let missing = &decided.authorization.missing;
        let details = DenialDetails::of_policy(denial, &self.policy, missing);
        let authentication = &decided.authentication;
        self.space
            .respond_with(&self.constants, details, authentication, request)
            .map(Body::from)
    }

    /// Takes the time by which axum routes a hidden path faster than an unknown one: a wildcard route takes it
    /// longer than a path, and an unknown path takes it two searches.
    fn pad(&self, request: &mut Request) {
        let extensions = request.extensions_mut();
        if self.is_subtree {
            return;
        }
        extensions.insert(Padding);
        extensions.remove::<Padding>();
        if self.matched.exists() {
            for _ in 0..LONGER_SEARCH {
                extensions.remove::<Padding>();
            }
        }
    }

    /// Responds as for an unknown path, and returns the location of the fallback.
    pub(super) fn conceal(
        &self,
        authentication: Authentication,
        request: &mut Request,
    ) -> (Option<HandlerLocation>, ResponseOrFuture) {
        // In front of the padding: the table of extensions would grow for both values.
        strip_match(request);
        self.pad(request);
        let location = self.fallback.location_at(request.uri().path());
        let others = match self.matched {
            Matched::Handler(_) => OtherSpaces::Unreported,
            Matched::UnknownPath | Matched::UnknownMethod => OtherSpaces::Reported,
        };
        let response = self
            .fallback
            .respond_to(&self.space, authentication, request, others);
        (location, response)
    }

    /// Responds as for an unknown path, in place of a denial that the handler returned. The fallback receives the body
    /// that was read before the authorization, or else the rest that the handler left.
    pub(super) fn conceal_object(
        &self,
        authentication: Authentication,
        request: KeptRequest,
        body: Option<KeptBody>,
    ) -> ResponseOrFuture {
        match request.head {
            Some(head) => {
                let head = Arc::unwrap_or_clone(head);
                let body = match (head.extensions.get(), body) {
                    (Some(RequestBody::Read(read)), _) => Body::from(read.clone()),
                    (_, Some(rest)) => Body::new(rest),
                    (_, None) => Body::empty(),
                };
                let mut request = Request::from_parts(head, body);
                let others = OtherSpaces::Unreported;
                self.fallback
                    .respond_to(&self.space, authentication, &mut request, others)
            }
            None => {
                let request = RequestView::Snapshot(&request.snapshot);
                ResponseOrFuture::Now(self.fallback.respond_by_space(authentication, request))
            }
        }
    }
}

/// The time by which axum's search for an unknown path is longer, in look-ups of an extension.
const LONGER_SEARCH: usize = 3;

/// A value that is stored in the extensions of a request for the time that this takes.
#[derive(Clone)]
struct Padding;
