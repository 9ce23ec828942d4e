//! The parts of a request that the body of its denial can depend on.

use std::borrow::Cow;
use std::fmt;

use http::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Uri};

use crate::head::Head;
use crate::media_type::{MediaType, preferred};

/// The parts of a request that the body of its denial can depend on.
///
/// Cloning does not allocate, so a guard can keep a copy.
#[derive(Clone)]
pub struct RequestSnapshot {
    method: Method,
    uri: Uri,
    accept: Option<HeaderValue>,
    accept_language: Option<HeaderValue>,
    fetch_mode: FetchMode,
}

/// A denied request: the request itself, or the parts that a guard kept. Most responses depend only
/// on `Accept`.
#[derive(Clone, Copy)]
pub enum RequestView<'r> {
    /// The request itself.
    Head(Head<'r>),
    /// The parts that a guard kept.
    Snapshot(&'r RequestSnapshot),
}

impl<'r> RequestView<'r> {
    /// The media types that the client accepts.
    pub(crate) fn accept(self) -> Option<Cow<'r, HeaderValue>> {
        match self {
            Self::Head(head) => combined(head.headers, &ACCEPT),
            Self::Snapshot(request) => request.accept.as_ref().map(Cow::Borrowed),
        }
    }

    /// Returns whether a browser marked the request as sent by a script.
    pub(crate) fn is_from_script(self) -> bool {
        let mode = match self {
            Self::Head(head) => fetch_mode(head.headers),
            Self::Snapshot(request) => request.fetch_mode,
        };
        mode == FetchMode::Other
    }

    /// All parts that the body can depend on.
    pub(crate) fn request(self) -> Cow<'r, RequestSnapshot> {
        match self {
            Self::Head(head) => Cow::Owned(RequestSnapshot::of(head)),
            Self::Snapshot(request) => Cow::Borrowed(request),
        }
    }
}

/// The mode of a browser's request (`Sec-Fetch-Mode`, Fetch Metadata).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FetchMode {
    Navigate,
    Other,
    /// The client is not a browser, or is an old browser, or does not trust the connection.
    Absent,
}

impl RequestSnapshot {
    /// Copies the parts of a request.
    #[doc(hidden)]
    pub fn of(head: Head<'_>) -> Self {
        Self {
            method: head.method.clone(),
            uri: head.sent_uri().clone(),
            accept: combined(head.headers, &ACCEPT).map(Cow::into_owned),
            accept_language: combined(head.headers, &ACCEPT_LANGUAGE).map(Cow::into_owned),
            fetch_mode: fetch_mode(head.headers),
        }
    }

    /// The method of the request.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The target as the client sent it, at any depth of nested routers; behind a layer around the router that changes
    /// it, only if the layer keeps an `OriginalUri`.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns whether a browser marked the request as sent by a script, rather than as a
    /// navigation (`Sec-Fetch-Mode`, Fetch Metadata).
    pub fn is_from_script(&self) -> bool {
        self.fetch_mode == FetchMode::Other
    }

    /// Returns whether the request is a navigation to a page: a `GET` or `HEAD` that a browser
    /// marked as one (`Sec-Fetch-Mode`). Without that mark, it is one if `Accept` prefers HTML to
    /// the other forms of a denial.
    pub fn is_navigation(&self) -> bool {
        let only_reads = self.method == Method::GET || self.method == Method::HEAD;
        only_reads
            && match self.fetch_mode {
                FetchMode::Navigate => true,
                FetchMode::Other => false,
                FetchMode::Absent => {
                    preferred(self.accept().unwrap_or_default()) == MediaType::Html
                }
            }
    }

    /// The media types that the client accepts (RFC 9110 §12.5.1).
    pub fn accept(&self) -> Option<&str> {
        self.accept.as_ref()?.to_str().ok()
    }

    /// The languages that the client accepts (RFC 9110 §12.5.4).
    pub fn accept_language(&self) -> Option<&str> {
        self.accept_language.as_ref()?.to_str().ok()
    }
}

impl fmt::Debug for RequestSnapshot {
    /// Omits the query, which may contain a token (RFC 6750 §2.3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestSnapshot")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .field("accept", &self.accept)
            .field("accept_language", &self.accept_language)
            .field("fetch_mode", &self.fetch_mode)
            .finish_non_exhaustive()
    }
}

fn fetch_mode(headers: &HeaderMap) -> FetchMode {
    match headers.get("sec-fetch-mode").map(HeaderValue::as_bytes) {
        Some(b"navigate") => FetchMode::Navigate,
        Some(_) => FetchMode::Other,
        None => FetchMode::Absent,
    }
}

/// The value of a field; the combined value of several lines (RFC 9110 §5.3).
fn combined<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Cow<'h, HeaderValue>> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?;
    if lines.next().is_none() {
        return Some(Cow::Borrowed(first));
    }
    let lines: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let combined = HeaderValue::from_bytes(&lines.join(&b", "[..]));
    combined.ok().map(Cow::Owned)
}
