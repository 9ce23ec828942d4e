//! The requests of axum, as the core reads them.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;

use auth_runtime_core::Caller;
use auth_runtime_core::adapter::{
    AuthenticationFuture, Framework, Head, RecordedRequest, RequestBody, Space, Target,
};
use axum::body::{Body, HttpBody};
use axum::extract::connect_info::MockConnectInfo;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{
    ConnectInfo, FromRequestParts, MatchedPath, OriginalUri, RawPathParams, Request,
};
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Extensions, Uri};

/// The data that axum keeps in the extensions of a request.
static AXUM: Framework = Framework {
    original_uri,
    matched_path,
    peer,
};

fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    let OriginalUri(uri) = extensions.get()?;
    Some(uri)
}

fn matched_path(extensions: &Extensions) -> Option<&str> {
    extensions.get().map(MatchedPath::as_str)
}

fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    let connected = extensions.get().map(|ConnectInfo(peer)| *peer);
    // axum's own extractor falls back to it.
    let mocked = || extensions.get().map(|MockConnectInfo(peer)| *peer);
    connected
        .or_else(mocked)
        .or_else(|| extensions.get().copied())
}

/// The head of a request.
pub(crate) fn head_of<B>(request: &http::Request<B>) -> Head<'_> {
    Head {
        method: request.method(),
        routed_uri: request.uri(),
        headers: request.headers(),
        extensions: request.extensions(),
        framework: &AXUM,
    }
}

/// The head of a request that was split into head and body.
pub fn head_of_parts(parts: &Parts) -> Head<'_> {
    Head {
        framework: &AXUM,
        ..Head::from(parts)
    }
}

/// Starts to authenticate a request. A caller that a test set does not replace an unreadable body.
pub(crate) fn authenticate(
    space: &Space,
    head: Head<'_>,
    target: Target<'_>,
) -> AuthenticationFuture {
    match stand_in(head.extensions).filter(|_| !RequestBody::is_unreadable(head)) {
        Some(caller) => AuthenticationFuture::Done(space.assume(caller, target)),
        None => space.authenticate(head, target),
    }
}

/// The caller that a test set, if it set one. Without the feature `testing`, there is none.
pub(crate) fn stand_in(extensions: &Extensions) -> Option<&Caller> {
    #[cfg(feature = "testing")]
    return crate::testing::stand_in(extensions);
    #[cfg(not(feature = "testing"))]
    {
        let _ = extensions;
        None
    }
}

/// Reads the body of a request if that has to happen before authentication, unless it is read already. The
/// handler still receives it, unless it is unreadable.
/// `max` is the length that the application reads.
pub(crate) async fn read_body(
    space: &Space,
    target: Target<'_>,
    max: usize,
    request: Request,
) -> Request {
    let is_read = request.extensions().get::<RequestBody>().is_some();
    if is_read || !space.reads_body_of(head_of(&request), target) {
        return request;
    }
    let (mut head, body) = request.into_parts();
    let (read, body) = match collect(body, max).await {
        Ok(bytes) => (RequestBody::Read(bytes.clone()), Body::from(bytes)),
        Err(reason) => {
            tracing::debug!(
                max_body = max,
                reason,
                "the body of a request cannot be read; the response is 400",
            );
            (RequestBody::Unreadable, Body::empty())
        }
    };
    head.extensions.insert(read);
    Request::from_parts(head, body)
}

/// Reads a body of up to `max` bytes.
/// The frames are copied into one buffer: a client can send frames of one byte, and each of them
/// takes far more memory than that.
async fn collect(mut body: Body, max: usize) -> Result<Bytes, &'static str> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // Trailers are not part of it.
        let Ok(data) = frame.map_err(|_| "it is incomplete")?.into_data() else {
            continue;
        };
        if data.is_empty() {
            continue;
        }
        let length = first.len().max(all.len()) + data.len();
        if length > max {
            return Err("it is longer than `max_body`");
        }
        if length == data.len() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// Removes the body from the extensions of a request that may be copied into another one, and returns
/// it. An unreadable body stays marked: its body is gone, and a second reader has to respond in the
/// same way.
pub(crate) fn forget_body(request: &mut Request) -> Option<Bytes> {
    match request.extensions_mut().remove()? {
        RequestBody::Read(body) => Some(body),
        unreadable => {
            request.extensions_mut().insert(unreadable);
            None
        }
    }
}

/// The parts of a request for later records and questions to the decision point.
#[derive(Clone)]
pub(crate) struct Reported {
    pub(crate) route: Option<MatchedPath>,
    pub(crate) recorded: RecordedRequest,
}

impl Reported {
    /// The matched route, as written.
    pub(crate) fn matched_path(&self) -> Option<&str> {
        self.route.as_ref().map(MatchedPath::as_str)
    }
}

/// Returns the parts of a request for later records and questions to the decision point, if there may be any.
pub(crate) fn parts_to_report(space: &Space, head: Head<'_>) -> Option<Reported> {
    Some(Reported {
        recorded: space.recorded(head)?,
        route: head.extensions.get().cloned(),
    })
}

/// The parameters of the matched path, as only axum's own extractors can read them.
pub(crate) type PathParameters = Result<RawPathParams, RawPathParamsRejection>;

/// Reads the parameters of the matched path.
pub(crate) async fn path_parameters(head: &mut Parts) -> PathParameters {
    RawPathParams::from_request_parts(head, &()).await
}

/// The parameters for functions of the service. `None` if one is not UTF-8, or if two of one name have different
/// values, as nested routers can have.
pub(crate) fn parameters_in(path: &PathParameters) -> Option<Vec<(&str, &str)>> {
    let path = match path {
        Ok(path) => path,
        Err(RawPathParamsRejection::MissingPathParams(_)) => return Some(Vec::new()),
        Err(_) => return None,
    };
    let mut parameters: Vec<(&str, &str)> = Vec::new();
    for (name, value) in path {
        match parameters.iter().find(|(own, _)| *own == name) {
            Some((_, own)) if *own != value => return None,
            Some(_) => {}
            None => parameters.push((name, value)),
        }
    }
    Some(parameters)
}
