//! The response of an unknown path, which is also the response of a concealed one.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use auth_runtime_core::adapter::{
    Authentication, RequestBody, RequestView, Selection, Space, Target, forbid_storing,
};
use auth_runtime_core::route_pattern::Pattern;
use auth_runtime_core::{Caller, Denial, DenialDetails, HandlerLocation};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::exchange::conceal_timing::OfUnknownPath;
use crate::exchange::handover::{find, forget, hand};
use crate::exchange::lock::lock;
use crate::exchange::parameters::strip_parameters;
use crate::exchange::response::{ResponseOrFuture, response_of};
use crate::exchange::secrecy::uncacheable_if_missing;
use crate::request::{authenticate, forget_body, head_of, read_body};

/// All paths but `/`; the parameter, as axum calls that of its own fallbacks, is in no `Path`.
pub(crate) const BELOW: &str = "/{*__private__axum_fallback}";

/// A fallback of the service.
pub(crate) type FallbackService = BoxCloneSyncService<Request, Response, Infallible>;

/// Responds for unknown paths, and in place of concealed denials.
#[derive(Clone)]
pub(crate) struct Fallback(Arc<FallbackData>);

#[derive(Clone)]
struct FallbackData {
    /// The space that writes the 404.
    first: Arc<Space>,
    /// All spaces of the application, so that all of its paths respond identically to rejected
    /// credentials: `first`, and the others.
    spaces: Vec<Arc<Space>>,
    service: Option<FallbackService>,
    /// The location of the service in the source.
    location: Option<HandlerLocation>,
    /// Whether some path is hidden. Then a stored response of the service, of whatever status,
    /// could be served in place of a hidden one.
    something_is_hidden: bool,
    /// Whether [`ConcealTiming`](super::conceal_timing::ConcealTiming) delays the responses.
    conceals_timing: bool,
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

/// The caller of an unknown path, and the space that decides about it.
struct UnknownCaller {
    space: Arc<Space>,
    authentication: Authentication,
}

impl UnknownCaller {
    /// A caller without credentials, or one whose credentials are not read.
    fn anonymous(space: &Arc<Space>) -> Self {
        Self {
            space: Arc::clone(space),
            authentication: Authentication::anonymous(),
        }
    }

    fn denial(&self) -> Option<Denial> {
        self.space.deny_unknown_path(&self.authentication)
    }

    /// Ranks the result of one space among those of several: known, unverifiable (the credentials
    /// may belong to that space), denied, anonymous.
    fn rank(&self) -> u8 {
        match self.authentication.to_unknown_path().caller() {
            Some(Caller::Known(_)) => 3,
            Some(Caller::Unverifiable { .. }) => 2,
            _ => u8::from(self.denial().is_some()),
        }
    }
}

/// The caller of an unknown path, for the fallback behind some layers. Layers may change the credentials:
/// the caller is that of the request as it was sent, as in front of hidden paths.
struct FallbackSlot {
    recipient: Fallback,
    caller: Mutex<Option<UnknownCaller>>,
}

/// Whether the other spaces of the application report the rejection of a request's credentials. On a
/// concealed path they do not: the decision was reported already.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum OtherSpaces {
    Reported,
    Unreported,
}

impl Fallback {
    /// Creates the fallback of a router with these spaces, of which `first` writes the 404.
    pub(crate) fn new(
        first: Arc<Space>,
        others: impl IntoIterator<Item = Arc<Space>>,
        service: Option<FallbackService>,
        location: Option<HandlerLocation>,
        something_is_hidden: bool,
        conceals_timing: bool,
    ) -> Self {
        let mut spaces = vec![first.clone()];
        for space in others {
            if !spaces.iter().any(|own| own.is_same(&space)) {
                spaces.push(space);
            }
        }
        Self(Arc::new(FallbackData {
            first,
            spaces,
            service: if something_is_hidden {
                service.map(without_route_names)
            } else {
                service
            },
            location,
            something_is_hidden,
            conceals_timing,
            layered: None,
            nested: Vec::new(),
        }))
    }

    /// The same fallback with layers around it: those of the router that is made of the service.
    pub(crate) fn with_layers(&self, layers: impl FnOnce(FallbackService) -> Router) -> Self {
        let inner = self.clone();
        let respond = tower::service_fn(move |request: Request| {
            let inner = inner.clone();
            async move { Ok(inner.receive(request).await) }
        });
        let router = layers(BoxCloneSyncService::new(respond));
        Self(Arc::new(FallbackData {
            layered: Some(Layered {
                inner: self.clone(),
                router,
            }),
            nested: Vec::new(),
            ..FallbackData::clone(&self.0)
        }))
    }

    /// The same fallback, but for the paths that other ones respond for.
    pub(crate) fn with_nested(&self, mut nested: Vec<(Pattern, Self)>) -> Self {
        nested.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(Arc::new(FallbackData {
            nested,
            ..FallbackData::clone(&self.0)
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
    pub(super) fn location_at(&self, path: &str) -> Option<HandlerLocation> {
        let FallbackData {
            layered, location, ..
        } = &*self.at(path).0;
        match layered {
            Some(Layered { inner, .. }) => inner.location_at(path),
            None => *location,
        }
    }

    /// The space that writes the 404.
    pub(super) fn first_space(&self) -> &Arc<Space> {
        &self.0.first
    }

    /// The spaces of the application.
    pub(super) fn spaces(&self) -> &[Arc<Space>] {
        &self.0.spaces
    }

    /// The longest body that is read before authentication. All paths of the application read the same.
    pub(super) fn max_body(&self) -> usize {
        let spaces = self.spaces().iter();
        spaces
            .map(|space| space.max_body())
            .max()
            .unwrap_or_default()
    }

    /// Whether the response can depend on more of a request than a [`RequestSnapshot`] holds.
    ///
    /// [`RequestSnapshot`]: auth_runtime_core::RequestSnapshot
    pub(super) fn needs_request(&self) -> bool {
        self.0.service.is_some()
            || self.0.layered.is_some()
            || !self.0.nested.is_empty()
            || self.0.spaces.len() > 1
    }

    /// Returns whether the response for an unknown path depends on the caller. A fallback of the service
    /// is public in an application that hides nothing, so it receives requests unauthenticated: there
    /// is no concealed path with the same response.
    pub(super) fn authenticates(&self, path: &str) -> bool {
        let responding = &self.at(path).0;
        let mut spaces = responding.spaces.iter();
        responding.service.is_none()
            || responding.something_is_hidden
            || spaces.any(|space| space.challenges_unknown_paths())
    }

    /// Responds to a request that was authenticated in front of some layers, or authenticates it.
    async fn receive(&self, mut request: Request) -> Response {
        strip_match(&mut request);
        let slot = find::<FallbackSlot>(&request).filter(|slot| slot.recipient.is_same(self));
        let handed = slot.and_then(|slot| lock(&slot.caller).take());
        let (caller, mut request) = match handed {
            Some(caller) => (caller, request),
            None if self.authenticates(request.uri().path()) => {
                self.identify(None, request, OtherSpaces::Reported).await
            }
            None => (UnknownCaller::anonymous(self.first_space()), request),
        };
        let responding = self.at(request.uri().path());
        responding.respond(caller, &mut request).await
    }

    /// Responds to a request that one space of the application has already authenticated. Rejected
    /// credentials lead to the same 401 on every concealed or unknown path.
    ///
    /// It responds at once where nothing has to be awaited.
    pub(super) fn respond_to(
        &self,
        space: &Arc<Space>,
        authentication: Authentication,
        request: &mut Request,
        others: OtherSpaces,
    ) -> ResponseOrFuture {
        self.strip_route(request);
        if let [only] = self.spaces()
            && only.is_same(space)
        {
            let responding = self.at(request.uri().path());
            return responding.respond(
                UnknownCaller {
                    space: Arc::clone(only),
                    authentication,
                },
                request,
            );
        }
        let (fallback, space) = (self.clone(), Arc::clone(space));
        let request = std::mem::take(request);
        ResponseOrFuture::Later(Box::pin(async move {
            let found = Some((&*space, authentication));
            let (caller, mut request) = fallback.identify(found, request, others).await;
            let responding = fallback.at(request.uri().path());
            responding.respond(caller, &mut request).await
        }))
    }

    /// Responds to a request on an unknown path without authentication.
    pub(super) fn respond_unauthenticated(&self, request: &mut Request) -> ResponseOrFuture {
        self.strip_route(request);
        let responding = self.at(request.uri().path());
        responding.respond(UnknownCaller::anonymous(self.first_space()), request)
    }

    /// Removes the name and the parameters of the matched route, with those of the routers around: a request to an
    /// unknown path does not have those of the route. A nested fallback receives its own parameters afterwards.
    fn strip_route(&self, request: &mut Request) {
        strip_match(request);
        if self.needs_request() {
            strip_parameters(request);
        }
    }

    /// Authenticates the caller of an unknown path. The space with the highest rank decides; of
    /// equal ranks, the first. Every space authenticates every request, so that all paths take the
    /// same time.
    async fn identify(
        &self,
        mut found: Option<(&Space, Authentication)>,
        mut request: Request,
        others: OtherSpaces,
    ) -> (UnknownCaller, Request) {
        let mut best: Option<UnknownCaller> = None;
        for space in self.spaces() {
            let authentication = match found.take_if(|(own, _)| own.is_same(space)) {
                Some((_, authentication)) => authentication,
                None => {
                    request = read_body(space, Target::Unknown, self.max_body(), request).await;
                    let watch = space.watch(None);
                    let authentication = authenticate(space, head_of(&request), Target::Unknown);
                    let authentication = watch.around(authentication).await;
                    if others == OtherSpaces::Reported {
                        space.report_unknown_path(&watch, &authentication, head_of(&request));
                    }
                    authentication
                }
            };
            let caller = UnknownCaller {
                space: Arc::clone(space),
                authentication,
            };
            let is_better = best.as_ref().is_none_or(|best| caller.rank() > best.rank());
            if is_better {
                best = Some(caller);
            }
        }
        let nobody = || UnknownCaller {
            space: Arc::clone(self.first_space()),
            authentication: Authentication::of_caller(Caller::unverifiable()),
        };
        let unreadable = self.unreadable_body(&request);
        forget_body(&mut request);
        (unreadable.or(best).unwrap_or_else(nobody), request)
    }

    /// The result for a request with an unreadable body: that of the first space that reads it, even
    /// if another space knows the caller. The body is gone, so no service may receive the request.
    fn unreadable_body(&self, request: &Request) -> Option<UnknownCaller> {
        let head = head_of(request);
        let mut spaces = self.spaces().iter();
        let space = spaces.find(|space| space.reads_body_of(head, Target::Unknown))?;
        RequestBody::is_unreadable(head).then(|| UnknownCaller {
            space: Arc::clone(space),
            authentication: Selection::InvalidRequest { cookie: None }.into(),
        })
    }

    fn respond(&self, caller: UnknownCaller, request: &mut Request) -> ResponseOrFuture {
        match self.respond_unmarked(caller, request) {
            ResponseOrFuture::Now(response) => ResponseOrFuture::Now(self.marked(response)),
            ResponseOrFuture::Later(response) if self.0.conceals_timing => {
                let fallback = self.clone();
                ResponseOrFuture::Later(Box::pin(async move { fallback.marked(response.await) }))
            }
            later => later,
        }
    }

    fn marked(&self, mut response: Response) -> Response {
        if self.0.conceals_timing {
            response.extensions_mut().insert(OfUnknownPath);
        }
        response
    }

    fn respond_unmarked(&self, caller: UnknownCaller, request: &mut Request) -> ResponseOrFuture {
        if let Some(Layered { inner, router }) = self.0.layered.clone() {
            let slot = FallbackSlot {
                recipient: inner,
                caller: Mutex::new(Some(caller)),
            };
            hand(Arc::new(slot), request);
            let request = std::mem::take(request);
            return ResponseOrFuture::Later(Box::pin(async move {
                response_of(router.oneshot(request).await)
            }));
        }
        match &self.0.service {
            Some(service) if caller.denial().is_none() => {
                forget(request);
                forget_body(request);
                let (service, request) = (service.clone(), std::mem::take(request));
                let response = respond_by_service(service, self.0.something_is_hidden, request);
                ResponseOrFuture::Later(Box::pin(response))
            }
            _ => {
                let request = RequestView::Head(head_of(request));
                ResponseOrFuture::Now(self.respond_by_spaces(&caller, request))
            }
        }
    }

    /// The response of the only space of the application, without a fallback service.
    pub(super) fn respond_by_space(
        &self,
        authentication: Authentication,
        request: RequestView<'_>,
    ) -> Response {
        let caller = UnknownCaller {
            space: Arc::clone(self.first_space()),
            authentication,
        };
        self.marked(self.respond_by_spaces(&caller, request))
    }

    fn respond_by_spaces(&self, caller: &UnknownCaller, request: RequestView<'_>) -> Response {
        let denial = caller.denial();
        // Only a denial depends on the space.
        let space = match denial {
            Some(_) => &caller.space,
            None => self.first_space(),
        };
        let denial = denial.unwrap_or(Denial::NotFound);
        space
            .respond(
                DenialDetails::of_unknown_path(&denial),
                &caller.authentication,
                request,
            )
            .map(Body::from)
    }
}

/// Removes the names of routes from all requests to a service.
///
/// Those of the routers around a protected router are only in requests to unknown paths, and that of a
/// nested service is only in requests to concealed paths. axum gives no access to the latter, and
/// removes it when another route matches.
fn without_route_names(service: FallbackService) -> FallbackService {
    let service = tower::service_fn(move |mut request: Request| {
        strip_match(&mut request);
        service.clone().oneshot(request)
    });
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

/// Removes the name of the matched route: on an unknown path, a fallback would not receive it.
pub(super) fn strip_match(request: &mut Request) {
    request.extensions_mut().remove::<MatchedPath>();
}
