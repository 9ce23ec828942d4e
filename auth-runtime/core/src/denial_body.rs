//! The bodies of denials, in the media type that the client accepts.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderName, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue, Method, Uri};

use crate::caller::Rejection;
use crate::decision::Denial;
use crate::denial_details::DenialDetails;
use crate::head::Head;

/// The body of a denial and its media type.
#[derive(Clone, Debug)]
pub struct DenialBody {
    pub(crate) content_type: HeaderValue,
    pub(crate) bytes: Bytes,
}

impl DenialBody {
    /// Creates a body of the given media type.
    ///
    /// # Errors
    ///
    /// `content_type` is not a valid field value.
    pub fn new(
        content_type: impl TryInto<HeaderValue, Error = InvalidHeaderValue>,
        body: impl Into<Bytes>,
    ) -> Result<Self, InvalidHeaderValue> {
        Ok(Self {
            content_type: content_type.try_into()?,
            bytes: body.into(),
        })
    }
}

impl Default for DenialBody {
    /// Returns an empty plain-text body.
    fn default() -> Self {
        Self {
            content_type: MediaType::Text.content_type(),
            bytes: Bytes::new(),
        }
    }
}

/// The parts of a request that the body of its denial can depend on.
///
/// Cloning it does not allocate, so that a guard can keep a copy.
#[derive(Clone)]
pub struct RequestSnapshot {
    method: Method,
    uri: Uri,
    accept: Option<HeaderValue>,
    accept_language: Option<HeaderValue>,
    sender: RequestSender,
    sent_uri: Uri,
}

/// A denied request: the request itself, or the parts that a guard kept. Most responses depend only
/// on `Accept`.
#[derive(Clone, Copy)]
pub enum RequestView<'r> {
    /// The request itself.
    Now(Head<'r>),
    /// The parts that a guard kept.
    Before(&'r RequestSnapshot),
}

impl<'r> RequestView<'r> {
    /// The media types that the client accepts.
    pub(crate) fn accept(self) -> Option<Cow<'r, HeaderValue>> {
        match self {
            Self::Now(head) => combined(head.headers, &ACCEPT),
            Self::Before(request) => request.accept.as_ref().map(Cow::Borrowed),
        }
    }

    /// Returns whether a browser marked the request as sent by a script.
    pub(crate) fn is_from_script(self) -> bool {
        let sender = match self {
            Self::Now(head) => sender(head.headers),
            Self::Before(request) => request.sender,
        };
        sender == RequestSender::Script
    }

    /// All parts that the body can depend on.
    pub(crate) fn request(self) -> Cow<'r, RequestSnapshot> {
        match self {
            Self::Now(head) => Cow::Owned(RequestSnapshot::of(head)),
            Self::Before(request) => Cow::Borrowed(request),
        }
    }
}

/// The cause of a browser's request (`Sec-Fetch-Mode`, Fetch Metadata).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestSender {
    Visitor,
    Script,
    /// The client is not a browser, or is an old browser, or does not trust the connection.
    Unsaid,
}

impl RequestSnapshot {
    /// Copies the parts of a request.
    pub fn of(head: Head<'_>) -> Self {
        Self {
            method: head.method.clone(),
            uri: head.uri.clone(),
            accept: combined(head.headers, &ACCEPT).map(Cow::into_owned),
            accept_language: combined(head.headers, &ACCEPT_LANGUAGE).map(Cow::into_owned),
            sender: sender(head.headers),
            sent_uri: head.sent_uri().clone(),
        }
    }

    /// The method of the request.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The target of the request, as the router's fallback would receive it.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns whether a browser marked the request as sent by a script, rather than as a
    /// navigation (`Sec-Fetch-Mode`, Fetch Metadata).
    pub fn is_from_script(&self) -> bool {
        self.sender == RequestSender::Script
    }

    /// Returns whether the request is a navigation to a page: a `GET` or `HEAD` that a browser
    /// marked as one (`Sec-Fetch-Mode`). Without that mark, it is one if `Accept` prefers HTML to
    /// the other forms of a denial.
    pub fn is_navigation(&self) -> bool {
        let only_reads = self.method == Method::GET || self.method == Method::HEAD;
        only_reads
            && match self.sender {
                RequestSender::Visitor => true,
                RequestSender::Script => false,
                RequestSender::Unsaid => {
                    preferred(self.accept().unwrap_or_default()) == MediaType::Html
                }
            }
    }

    /// The target as the client sent it.
    pub(crate) fn sent_uri(&self) -> &Uri {
        &self.sent_uri
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
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

fn sender(headers: &HeaderMap) -> RequestSender {
    match headers.get("sec-fetch-mode").map(HeaderValue::as_bytes) {
        Some(b"navigate") => RequestSender::Visitor,
        Some(_) => RequestSender::Script,
        None => RequestSender::Unsaid,
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

/// The media types of a denial's body. The first one is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    /// RFC 9457.
    Problem,
    Html,
    Text,
}

impl MediaType {
    const ALL: [Self; 3] = [Self::Problem, Self::Html, Self::Text];

    const fn content_type(self) -> HeaderValue {
        // Constants, so that the values are validated at compile time instead of for each denial.
        const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
        const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
        const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
        match self {
            Self::Problem => PROBLEM,
            Self::Html => HTML,
            Self::Text => TEXT,
        }
    }

    /// Escapes a text for this media type. Control characters become spaces.
    fn escape(self, text: &str) -> String {
        let mut escaped = String::new();
        for character in text.chars() {
            match (self, character) {
                (Self::Problem, '"' | '\\') => escaped.extend(['\\', character]),
                (Self::Html, '&') => escaped.push_str("&amp;"),
                (Self::Html, '<') => escaped.push_str("&lt;"),
                (Self::Html, '>') => escaped.push_str("&gt;"),
                (_, control) if control.is_control() => escaped.push(' '),
                _ => escaped.push(character),
            }
        }
        escaped
    }

    /// The precedence of a media range that matches this media type, by specificity (RFC 9110 §12.5.1);
    /// `None` if it does not match.
    fn fit(self, range: &str) -> Option<u8> {
        let exact = match self {
            Self::Problem => ["application/problem+json", "application/json"].as_slice(),
            Self::Html => &["text/html", "application/xhtml+xml"],
            Self::Text => &["text/plain"],
        };
        let subtypes = match self {
            Self::Problem => "application/*",
            Self::Html | Self::Text => "text/*",
        };
        let is = |name: &str| range.eq_ignore_ascii_case(name);
        if exact.iter().any(|name| is(name)) {
            Some(2)
        } else if is(subtypes) {
            Some(1)
        } else {
            is("*/*").then_some(0)
        }
    }
}

/// The built-in body in the media type that `Accept` prefers; problem details if it accepts no media type.
pub(crate) fn negotiate(details: DenialDetails<'_>, accept: &str) -> DenialBody {
    let media_type = preferred(accept);
    let Texts {
        problem,
        html,
        text,
        detail,
    } = texts(details.denial());
    let body = match media_type {
        MediaType::Problem => problem,
        MediaType::Html => html,
        MediaType::Text => text,
    };
    let bytes = match details.message() {
        own if own == detail => Bytes::from_static(body.as_bytes()),
        own => Bytes::from(body.replace(detail, &media_type.escape(own))),
    };
    DenialBody {
        content_type: media_type.content_type(),
        bytes,
    }
}

/// The sentence of a built-in body without a text of the service.
pub(crate) fn detail(denial: &Denial) -> &'static str {
    texts(denial).detail
}

/// A body in every media type.
struct Texts {
    problem: &'static str,
    html: &'static str,
    text: &'static str,
    /// The sentence in each of them.
    detail: &'static str,
}

/// Builds the body in every media type at compile time, since it does not depend on the request. Titles
/// and details contain no character that JSON or HTML has to escape.
macro_rules! texts {
    ($code:literal, $title:literal, $detail:literal) => {
        Texts {
            problem: concat!(
                r#"{"type":"about:blank","title":""#,
                $title,
                r#"","status":"#,
                $code,
                r#","detail":""#,
                $detail,
                r#""}"#
            ),
            html: concat!(
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">",
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
                "<meta name=\"color-scheme\" content=\"light dark\"><title>",
                $code,
                " ",
                $title,
                "</title><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;",
                "margin:18vh auto 0;padding:0 1.5rem}h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:0}",
                "</style></head><body><h1>",
                $title,
                "</h1><p>",
                $detail,
                "</p></body></html>\n"
            ),
            text: concat!($code, " ", $title, "\n", $detail, "\n"),
            detail: $detail,
        }
    };
}

/// The texts of a denial, which add nothing to the information in its status.
fn texts(denial: &Denial) -> Texts {
    match denial {
        Denial::InvalidRequest => texts!(
            400,
            "Bad Request",
            "The request has ambiguous or misplaced credentials."
        ),
        Denial::Unauthenticated {
            rejection: None, ..
        } => texts!(
            401,
            "Unauthorized",
            "The request has no credentials of an accepted scheme."
        ),
        Denial::Unauthenticated {
            rejection: Some(Rejection::TooLong),
            ..
        } => texts!(
            431,
            "Request Header Fields Too Large",
            "The credentials are too long."
        ),
        Denial::SenderConstraintRequired => texts!(
            401,
            "Unauthorized",
            "The credentials must be bound to a key of the client."
        ),
        Denial::StepUp { .. } => texts!(
            401,
            "Unauthorized",
            "The login is too old or too weak. Log in again."
        ),
        Denial::Unauthenticated {
            rejection: Some(Rejection::NoApplication),
            ..
        } => texts!(
            401,
            "Unauthorized",
            "The request has no credentials of the application."
        ),
        Denial::Unauthenticated {
            rejection: Some(Rejection::InvalidApplication),
            ..
        } => texts!(
            401,
            "Unauthorized",
            "The credentials of the application are invalid or expired."
        ),
        Denial::Unauthenticated { .. } => texts!(
            401,
            "Unauthorized",
            "The credentials are invalid or expired."
        ),
        Denial::InsufficientScope {
            has_token_server: true,
            ..
        } => texts!(
            401,
            "Unauthorized",
            "The credentials lack a required scope."
        ),
        Denial::InsufficientScope { .. } => {
            texts!(403, "Forbidden", "The credentials lack a required scope.")
        }
        Denial::Forbidden { .. } => texts!(403, "Forbidden", "You are not allowed to do this."),
        Denial::NotFound => texts!(404, "Not Found", "Nothing was found at this address."),
        Denial::Unverifiable { .. } => texts!(
            503,
            "Service Unavailable",
            "The permission cannot be checked at the moment."
        ),
    }
}

/// The media type with the highest weight in `Accept`. The most specific range determines the weight of a
/// media type.
fn preferred(accept: &str) -> MediaType {
    if accept.is_empty() {
        return MediaType::Problem;
    }
    let ranges: Vec<(&str, u16)> = accept
        .split(',')
        .take(MAX_RANGES)
        .map(media_range)
        .collect();
    let weight = |media_type: &MediaType| {
        ranges
            .iter()
            .filter_map(|(range, weight)| Some((media_type.fit(range)?, *weight)))
            .max()
            .map_or(0, |(_, weight)| weight)
    };
    MediaType::ALL
        .into_iter()
        // `max_by_key` returns the last maximum, and the default has to win.
        .rev()
        .max_by_key(weight)
        .unwrap_or(MediaType::Problem)
}

/// The maximum number of media ranges; further ones are ignored. Browsers send about a dozen at
/// most.
const MAX_RANGES: usize = 64;

/// A media range without its parameters, and its weight in thousandths.
fn media_range(member: &str) -> (&str, u16) {
    let mut parts = member.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let weight = parts
        .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .map_or(1000, thousandths);
    (range, weight)
}

/// A `qvalue` in thousandths (RFC 9110 §12.4.2); 0 if it is invalid.
fn thousandths(qvalue: &str) -> u16 {
    match qvalue.parse::<f32>() {
        // The value is in range, so the cast neither wraps nor saturates.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_says_what_the_status_says() {
        let unauthenticated = |rejection| Denial::Unauthenticated {
            rejection,
            scopes: Vec::new(),
        };
        let insufficient = |has_token_server| Denial::InsufficientScope {
            scopes: Vec::new(),
            has_token_server,
        };
        for denial in [
            Denial::InvalidRequest,
            unauthenticated(None),
            unauthenticated(Some(Rejection::Expired)),
            unauthenticated(Some(Rejection::TooLong)),
            Denial::StepUp {
                acr_values: Vec::new(),
                max_age: None,
            },
            Denial::SenderConstraintRequired,
            insufficient(false),
            insufficient(true),
            Denial::FORBIDDEN,
            Denial::NotFound,
            Denial::Unverifiable { retry_after: None },
        ] {
            let status = denial.status();
            let reason = status.canonical_reason().unwrap_or_default();
            let (code, texts) = (status.as_str(), texts(&denial));
            let problem = format!(r#""title":"{reason}","status":{code},"#);
            assert!(texts.problem.contains(&problem), "{denial:?}");
            assert!(texts.html.contains(&format!("<title>{code} {reason}<")));
            assert!(texts.text.starts_with(&format!("{code} {reason}\n")));
        }
    }

    #[test]
    fn accept_chooses_the_form() {
        let table = [
            ("", MediaType::Problem),
            ("*/*", MediaType::Problem),
            ("application/json", MediaType::Problem),
            ("application/problem+json", MediaType::Problem),
            ("text/html", MediaType::Html),
            ("TEXT/HTML", MediaType::Html),
            ("text/plain", MediaType::Text),
            ("text/*", MediaType::Html),
            ("text/*, text/html;q=0.1", MediaType::Text),
            ("text/html;q=0.5, application/json;q=0.4", MediaType::Html),
            (
                "text/html;q=0.4, application/json;q=0.5",
                MediaType::Problem,
            ),
            ("text/html;level=1;q=0, */*", MediaType::Problem),
            ("image/png", MediaType::Problem),
            ("text/html;q=nonsense", MediaType::Problem),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                MediaType::Html,
            ),
        ];
        for (accept, media_type) in table {
            assert_eq!(preferred(accept), media_type, "Accept: {accept}");
        }
    }
}
