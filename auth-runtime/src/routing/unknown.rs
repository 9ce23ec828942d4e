//! The answer of a path that was never there, which is the answer of a hidden one.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{MatchedPath, OriginalUri, Request};
use axum::response::Response;
use http::Uri;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::decision::Denial;
use crate::declaration::Declaration;
use crate::denial_body::Asked;
use crate::guard::Told;
use crate::head::Head;
use crate::routing::gate::{Answer, uncacheable_if_missing};
use crate::routing::passage::answer_of;
#[cfg(feature = "form")]
use crate::space::read_form;
use crate::space::{ProtectionSpace, Sender, forbid_storing};

/// A fallback of the service's own.
pub(crate) type Fallback = BoxCloneSyncService<Request, Response, Infallible>;

/// How unknown paths answer below one router.
#[derive(Clone)]
pub(crate) struct UnknownPath {
    space: ProtectionSpace,
    fallback: Option<Fallback>,
    /// Where it stands.
    declaration: Option<Declaration>,
    /// Whether some path is hidden. Then a stored answer of the fallback, of whatever status,
    /// could be served in place of one.
    something_is_hidden: bool,
    /// The same with the layers that unknown paths have and the place of a gate has not.
    layered: Option<Router>,
}

/// Who sent a request, found out in front of the layers of an [`UnknownPath`].
#[derive(Clone)]
struct Authenticated(Sender);

impl UnknownPath {
    pub(crate) fn new(
        space: ProtectionSpace,
        fallback: Option<Fallback>,
        declaration: Option<Declaration>,
        something_is_hidden: bool,
    ) -> Self {
        Self {
            space,
            fallback,
            declaration,
            something_is_hidden,
            layered: None,
        }
    }

    /// The same answer with layers around it.
    pub(crate) fn with_layers(&self, layers: impl FnOnce(Router) -> Router) -> Self {
        let unlayered = self.clone();
        let answer = tower::service_fn(move |request: Request| {
            let unlayered = unlayered.clone();
            async move { Ok::<_, Infallible>(unlayered.receive(request).await) }
        });
        Self {
            // unguarded: it answers paths that are not there
            layered: Some(layers(Router::new().fallback_service(answer))),
            ..self.clone()
        }
    }

    /// Where the fallback of the service's own stands, if there is one.
    pub(crate) fn declaration(&self) -> Option<Declaration> {
        self.declaration
    }

    /// Whether the answer can depend on more of a request than a [`DeniedRequest`] holds.
    pub(crate) fn needs_request(&self) -> bool {
        self.fallback.is_some() || self.layered.is_some()
    }

    /// The answer to a request of which it is not known yet who sent it. Bad credentials are told
    /// apart here as on any path, which takes as long as on any path.
    pub(crate) async fn receive(self, mut request: Request) -> Response {
        let sender = match request.extensions_mut().remove::<Authenticated>() {
            Some(Authenticated(sender)) => sender,
            None => {
                #[cfg(feature = "form")]
                if self.space.reads_form_of(&request) {
                    request = read_form(request).await;
                }
                let watch = self.space.watch(None);
                let authentication = self.space.authenticate(Head::of(&request));
                let sender = watch.around(authentication).await;
                let head = Head::of(&request);
                self.space.report_unknown_path(&watch, &sender, head);
                sender
            }
        };
        self.answer(sender, request).ready().await
    }

    /// The answer to a request of `sender`'s.
    pub(crate) fn answer(&self, sender: Sender, mut request: Request) -> Answer {
        if let Some(layered) = self.layered.clone() {
            request.extensions_mut().insert(Authenticated(sender));
            return Answer::Later(Box::pin(async move {
                answer_of(layered.oneshot(request).await)
            }));
        }
        match &self.fallback {
            Some(fallback) if self.space.deny_unknown_path(&sender).is_none() => {
                let answer =
                    answer_by_fallback(fallback.clone(), self.something_is_hidden, request);
                Answer::Later(Box::pin(answer))
            }
            _ => Answer::Now(self.answer_by_space(&sender, Asked::Now(Head::of(&request)))),
        }
    }

    /// The answer where there is no fallback of the service's own.
    pub(crate) fn answer_by_space(&self, sender: &Sender, asked: Asked<'_>) -> Response {
        let denial = self.space.deny_unknown_path(sender);
        let denial = denial.unwrap_or(Denial::NotFound);
        let answer = self.space.answer(None, &denial, sender, asked);
        answer.map(axum::body::Body::from)
    }
}

async fn answer_by_fallback(
    fallback: Fallback,
    something_is_hidden: bool,
    mut request: Request,
) -> Response {
    // An unknown path was told of, or a hidden one that looks like it.
    request.extensions_mut().insert(Told);
    let mut response = answer_of(fallback.oneshot(request).await);
    if something_is_hidden {
        forbid_storing(response.headers_mut());
    }
    uncacheable_if_missing(response)
}

/// Takes back what axum did to a request when its path matched: a fallback would not find it on a
/// path that was never there.
pub(crate) fn unmatch(mut request: Request, stripped: usize) -> Request {
    request.extensions_mut().remove::<MatchedPath>();
    if stripped > 0 {
        *request.uri_mut() = uri_before(&request, stripped);
    }
    request
}

/// The request's URI with the last `stripped` segments that nesting took off its path.
///
/// The original URI alone is not it: a protected router may itself be nested in another one.
pub(crate) fn uri_before(request: &Request, stripped: usize) -> Uri {
    let original = match request.extensions().get::<OriginalUri>() {
        Some(OriginalUri(original)) if stripped > 0 => original,
        _ => return request.uri().clone(),
    };
    let path = original.path();
    let inner = request.uri().path();
    // Nesting makes "/" of what is left of "/prefix": then nothing of `inner` stands in `path`.
    let prefix = path.strip_suffix(inner).unwrap_or(path);
    let start = prefix
        .rmatch_indices('/')
        .nth(stripped - 1)
        .map_or(0, |(index, _)| index);
    let rest = path.get(start..).unwrap_or(path);
    let path_and_query = match original.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    let mut parts = original.clone().into_parts();
    match path_and_query.parse() {
        Ok(path_and_query) => parts.path_and_query = Some(path_and_query),
        Err(_) => return original.clone(),
    }
    Uri::from_parts(parts).unwrap_or_else(|_| original.clone())
}
