//! The response of an unknown path, which is also the response of a concealed one.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;

use auth_runtime_core::adapter::{
    Authentication, AuthenticationFuture, Form, RequestView, Route, Target, UsedScheme, View,
    Watch, forbid_storing,
};
use auth_runtime_core::route_pattern::Pattern;
use auth_runtime_core::{Caller, Denial, HandlerLocation, ProtectionSpace};
use auth_runtime_policy::{Access, Disclosure, Policy, Requirement};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::handler::Handler;
use axum::response::Response;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::probe::{Probe, Responder};
use crate::request::{authenticate, forget_form, head_of, read_form};
use crate::routing::authorizer::{ResponseOrFuture, uncacheable_if_missing};
use crate::routing::handover::{forget, hand_to_fallback, take_for_fallback};
use crate::routing::response_future::response_of;
use crate::routing::step::{Step, apply};

/// All paths but `/`; the parameter, as axum calls that of its own fallbacks, is in no `Path`.
pub(super) const BELOW: &str = "/{*__private__axum_fallback}";

/// A fallback of the service.
pub(crate) type FallbackService = BoxCloneSyncService<Request, Response, Infallible>;

/// Responds for unknown paths, and in place of concealed denials.
#[derive(Clone)]
pub(crate) struct Fallback(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    /// All spaces of the application, so that all of its paths respond identically to rejected
    /// credentials. There is at least one, and the first one writes the 404.
    spaces: Vec<ProtectionSpace>,
    service: Option<FallbackService>,
    /// The location of the service in the source.
    location: Option<HandlerLocation>,
    /// True if some path is hidden. A stored response of the service, with any status, could then
    /// be served in place of a hidden one.
    something_is_hidden: bool,
    layered: Option<Layered>,
    /// The fallbacks for the unknown paths below some prefixes, in the order in which axum would look for
    /// them.
    nested: Vec<(Pattern, Fallback)>,
}

/// A fallback inside the layers that unknown paths have, and that are missing in front of a route.
#[derive(Clone)]
struct Layered {
    inner: Fallback,
    router: Router,
}

/// The handler of unknown paths.
#[derive(Clone)]
pub(super) struct UnknownPath {
    pub(super) fallback: Fallback,
    /// True if the path exists, but not the method.
    pub(super) is_routed: bool,
}

/// Marks the handler of unknown paths.
pub(super) enum ByFallback {}

impl<S> Handler<ByFallback, S> for UnknownPath {
    type Future = ResponseOrFuture;

    fn call(self, mut request: Request, _state: S) -> ResponseOrFuture {
        let Self {
            fallback,
            is_routed,
        } = self;
        if is_routed {
            request.extensions_mut().remove::<MatchedPath>();
        }
        if fallback.0.something_is_hidden {
            request.extensions_mut().insert(NotMatched);
            request.extensions_mut().remove::<NotMatched>();
        }
        let probe = Probe::of(request.extensions());
        if is_routed || !probe.is_listening() {
            return fallback.receive(request);
        }
        let responder = Responder::NotRouted {
            fallback: fallback.location_at(request.uri().path()),
        };
        fallback.receive(request).recorded(probe, responder)
    }
}

/// The caller of an unknown path, and the space that decides about it.
#[derive(Clone)]
pub(super) struct UnknownCaller {
    /// The index of the space in the fallback's list.
    space: usize,
    authentication: Authentication,
}

impl Fallback {
    /// Creates the fallback of a router with these spaces, of which `first` writes the 404.
    pub(crate) fn new(
        first: ProtectionSpace,
        others: impl IntoIterator<Item = ProtectionSpace>,
        service: Option<FallbackService>,
        location: Option<HandlerLocation>,
        something_is_hidden: bool,
    ) -> Self {
        let mut spaces = vec![first];
        for space in others {
            if !spaces.iter().any(|own| own.is_same(&space)) {
                spaces.push(space);
            }
        }
        Self(Arc::new(Inner {
            spaces,
            service: match something_is_hidden {
                true => service.map(without_route_names),
                false => service,
            },
            location,
            something_is_hidden,
            layered: None,
            nested: Vec::new(),
        }))
    }

    /// The same fallback with layers around it: those of the router that is made of the service.
    pub(super) fn with_layers(&self, layers: impl FnOnce(FallbackService) -> Router) -> Self {
        let inner = self.clone();
        let respond = tower::service_fn(move |request: Request| {
            let inner = inner.clone();
            async move { Ok(inner.receive_handed(strip_match(request)).await) }
        });
        let router = layers(BoxCloneSyncService::new(respond));
        Self(Arc::new(Inner {
            layered: Some(Layered {
                inner: self.clone(),
                router,
            }),
            nested: Vec::new(),
            ..Inner::clone(&self.0)
        }))
    }

    /// The same fallback with these steps around it.
    pub(super) fn with_steps(&self, steps: &[Step]) -> Self {
        if steps.is_empty() {
            return self.clone();
        }
        // unguarded: it responds for paths that do not exist
        self.with_layers(|service| apply(steps, Router::new().fallback_service(service)))
    }

    /// The same fallback, but for the paths that other ones respond for.
    pub(super) fn with_nested(&self, mut nested: Vec<(Pattern, Self)>) -> Self {
        nested.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(Arc::new(Inner {
            nested,
            ..Inner::clone(&self.0)
        }))
    }

    /// The fallback that responds for an unknown path: this one, or a nested one.
    fn at(&self, path: &str) -> &Self {
        let mut nested = self.0.nested.iter();
        let found = nested.find(|(pattern, _)| pattern.matches(path));
        found.map_or(self, |(_, fallback)| fallback)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The location in the source of the fallback service for an unknown path, if there is one.
    pub(crate) fn location_at(&self, path: &str) -> Option<HandlerLocation> {
        let Inner {
            layered, location, ..
        } = &*self.at(path).0;
        match layered {
            Some(Layered { inner, .. }) => inner.location_at(path),
            None => *location,
        }
    }

    /// The spaces of the application.
    pub(super) fn spaces(&self) -> &[ProtectionSpace] {
        &self.0.spaces
    }

    /// Returns whether the response can depend on more of a request than a [`RequestSnapshot`]
    /// holds.
    ///
    /// [`RequestSnapshot`]: auth_runtime_core::RequestSnapshot
    pub(crate) fn needs_request(&self) -> bool {
        self.0.service.is_some()
            || self.0.layered.is_some()
            || !self.0.nested.is_empty()
            || self.0.spaces.len() > 1
    }

    /// Returns whether the fallback authenticates. A fallback of the service does not, if the
    /// application hides nothing: it is public, and no concealed path has the same response.
    fn authenticates(&self) -> bool {
        let mut spaces = self.0.spaces.iter();
        self.0.service.is_none()
            || self.0.something_is_hidden
            || spaces.any(ProtectionSpace::challenges_unknown_paths)
    }

    /// Responds to a request that is not authenticated yet. Rejected credentials lead to the same
    /// 401 as on any other path.
    ///
    /// Like the authorizer of a route, it responds at once where nothing has to be awaited: the time of
    /// a response must not depend on whether the path exists.
    pub(crate) fn receive(&self, request: Request) -> ResponseOrFuture {
        let responding = self.at(request.uri().path());
        if !responding.authenticates() {
            let caller = UnknownCaller {
                space: 0,
                authentication: Authentication::anonymous(),
            };
            return responding.respond(caller, request);
        }
        if let [space] = self.spaces()
            && !space.reads_form_of(head_of(&request), Target::Unknown)
        {
            return self.receive_for(space, request);
        }
        let fallback = self.clone();
        ResponseOrFuture::Later(Box::pin(async move {
            let (caller, request) = fallback.identify(None, request).await;
            let responding = fallback.at(request.uri().path());
            responding.respond(caller, request).await
        }))
    }

    /// Responds to a request that was authenticated in front of some layers, or authenticates it.
    async fn receive_handed(&self, request: Request) -> Response {
        match take_for_fallback(self, &request) {
            Some(caller) => self.at(request.uri().path()).respond(caller, request).await,
            None => self.receive(request).await,
        }
    }

    /// Responds in an application with one space.
    fn receive_for(&self, space: &ProtectionSpace, request: Request) -> ResponseOrFuture {
        let watch = space.watch(None);
        let authentication =
            watch.within(|| authenticate(space, head_of(&request), Target::Unknown));
        match authentication {
            AuthenticationFuture::Done(authentication) => {
                let authentication = self.report(space, &watch, authentication, &request);
                self.respond_to(space, authentication, request)
            }
            pending => {
                let (fallback, space) = (self.clone(), space.clone());
                ResponseOrFuture::Later(Box::pin(async move {
                    let authentication = watch.around(pending).await;
                    let authentication = fallback.report(&space, &watch, authentication, &request);
                    fallback.respond_to(&space, authentication, request).await
                }))
            }
        }
    }

    /// Responds to a request that one space of the application has already authenticated.
    pub(crate) fn respond_to(
        &self,
        space: &ProtectionSpace,
        authentication: Authentication,
        request: Request,
    ) -> ResponseOrFuture {
        if let [only] = self.spaces()
            && only.is_same(space)
        {
            let responding = self.at(request.uri().path());
            return responding.respond(
                UnknownCaller {
                    space: 0,
                    authentication,
                },
                request,
            );
        }
        let (fallback, space) = (self.clone(), space.clone());
        ResponseOrFuture::Later(Box::pin(async move {
            let found = Some((&space, authentication));
            let (caller, request) = fallback.identify(found, request).await;
            let responding = fallback.at(request.uri().path());
            responding.respond(caller, request).await
        }))
    }

    /// Reports the request. No policy decides about an unknown path, but where hidden paths exist,
    /// one is evaluated for the time that it takes.
    fn report(
        &self,
        space: &ProtectionSpace,
        watch: &Watch,
        authentication: Authentication,
        request: &Request,
    ) -> Authentication {
        let head = head_of(request);
        space.report_unknown_path(watch, &authentication, head);
        if !self.0.something_is_hidden {
            return authentication;
        }
        let route = Route {
            policy: &NEVER_MET,
            checks: &[],
            location: None,
            denies_objects: false,
        };
        match space.decide(route, authentication, head, &Watch::off()) {
            Ok(authorization) => {
                black_box(&authorization.decision);
                authorization.authentication
            }
            Err(authentication) => authentication,
        }
    }

    /// Authenticates the caller of an unknown path. The space with the highest rank decides; of
    /// equal ranks, the first. Every space authenticates every request, so that all paths take the
    /// same time.
    async fn identify(
        &self,
        mut found: Option<(&ProtectionSpace, Authentication)>,
        mut request: Request,
    ) -> (UnknownCaller, Request) {
        let reports = found.is_none();
        let mut best: Option<UnknownCaller> = None;
        for (index, space) in self.spaces().iter().enumerate() {
            let authentication = match found.take_if(|(own, _)| own.is_same(space)) {
                Some((_, authentication)) => authentication,
                None => {
                    request = read_form(space, Target::Unknown, request).await;
                    let watch = space.watch(None);
                    let authentication = authenticate(space, head_of(&request), Target::Unknown);
                    let authentication = watch.around(authentication).await;
                    if reports {
                        space.report_unknown_path(&watch, &authentication, head_of(&request));
                    }
                    authentication
                }
            };
            let caller = UnknownCaller {
                space: index,
                authentication,
            };
            let is_better = best
                .as_ref()
                .is_none_or(|best| self.rank(&caller) > self.rank(best));
            if is_better {
                best = Some(caller);
            }
        }
        let nobody = || UnknownCaller {
            space: 0,
            authentication: Authentication::caller(Caller::unverifiable(), UsedScheme::Nothing),
        };
        let unreadable = self.unreadable_form(&request);
        forget_form(&mut request);
        (unreadable.or(best).unwrap_or_else(nobody), request)
    }

    /// The result for a request with an unreadable form: that of the first space that reads forms, even
    /// if another space knows the caller. The body is gone, so no service may receive the request.
    fn unreadable_form(&self, request: &Request) -> Option<UnknownCaller> {
        let head = head_of(request);
        let mut spaces = self.spaces().iter();
        let index = spaces.position(|space| space.reads_form_of(head, Target::Unknown))?;
        Form::is_unreadable(head).then(|| UnknownCaller {
            space: index,
            authentication: View::InvalidRequest { cookie: None }.into(),
        })
    }

    /// Ranks the result of one space among those of several: known, unverifiable (the credentials
    /// may belong to that space), denied, anonymous.
    fn rank(&self, found: &UnknownCaller) -> u8 {
        match found.authentication.to_unknown_path().caller() {
            Some(Caller::Known(_)) => 3,
            Some(Caller::Unverifiable { .. }) => 2,
            _ => u8::from(self.denial(found).is_some()),
        }
    }

    fn denial(&self, caller: &UnknownCaller) -> Option<Denial> {
        let space = self.spaces().get(caller.space)?;
        space.deny_unknown_path(&caller.authentication)
    }

    fn respond(&self, caller: UnknownCaller, mut request: Request) -> ResponseOrFuture {
        if let Some(Layered { inner, router }) = self.0.layered.clone() {
            hand_to_fallback(&inner, caller, &mut request);
            return ResponseOrFuture::Later(Box::pin(async move {
                response_of(router.oneshot(request).await)
            }));
        }
        match &self.0.service {
            Some(service) if self.denial(&caller).is_none() => {
                forget(&mut request);
                let response =
                    respond_by_service(service.clone(), self.0.something_is_hidden, request);
                ResponseOrFuture::Later(Box::pin(response))
            }
            _ => {
                let asked = RequestView::Now(head_of(&request));
                ResponseOrFuture::Now(self.respond_by_spaces(&caller, asked))
            }
        }
    }

    /// The response of the only space of the application, without a fallback service.
    pub(crate) fn respond_by_space(
        &self,
        authentication: &Authentication,
        asked: RequestView<'_>,
    ) -> Response {
        let caller = UnknownCaller {
            space: 0,
            authentication: authentication.clone(),
        };
        self.respond_by_spaces(&caller, asked)
    }

    fn respond_by_spaces(&self, caller: &UnknownCaller, asked: RequestView<'_>) -> Response {
        let denial = self.denial(caller);
        // Only a denial depends on the space. A 404 is always that of the first one.
        let space = match denial {
            Some(_) => self.spaces().get(caller.space),
            None => self.spaces().first(),
        };
        let denial = denial.unwrap_or(Denial::NotFound);
        match space {
            Some(space) => space
                .answer(None, &denial, &caller.authentication, asked)
                .map(Body::from),
            None => Response::default(),
        }
    }
}

/// Removes the names of routes from all requests to a service.
///
/// Those of the routers around a protected router are only in requests to unknown paths, and that of a
/// nested service is only in requests to concealed paths. axum gives no access to the latter, and
/// removes it when another route matches.
fn without_route_names(service: FallbackService) -> FallbackService {
    let service =
        tower::service_fn(move |request: Request| service.clone().oneshot(strip_match(request)));
    // unguarded: it responds for paths that do not exist
    let below = Router::new().route_service(BELOW, service.clone());
    // unguarded: and so it does at the root
    let all = below.route_service("/", service.clone());
    // unguarded: and for a target that is not a path
    BoxCloneSyncService::new(all.fallback_service(service))
}

async fn respond_by_service(
    service: FallbackService,
    something_is_hidden: bool,
    request: Request,
) -> Response {
    let mut response = response_of(service.oneshot(request).await);
    if something_is_hidden {
        forbid_storing(response.headers_mut());
    }
    uncacheable_if_missing(response)
}

/// The policy of unknown paths. Its result is not used.
static NEVER_MET: Policy = Policy::new(
    Access::Requires(Requirement::scope("unknown")),
    Disclosure::Hidden(None),
);

/// Stands for the name of the matched route in the extensions of a request, for the time that
/// storing and removing it takes.
#[derive(Clone)]
struct NotMatched;

/// Removes the name of the matched route: on an unknown path, a fallback would not receive it.
pub(crate) fn strip_match(mut request: Request) -> Request {
    request.extensions_mut().remove::<MatchedPath>();
    request
}
