//! The origins that may act with the login of a browser.

use std::fmt;
use std::net::Ipv6Addr;

use auth_runtime_core::Credentials;
use http::header::{HOST, HeaderName, ORIGIN, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Uri};

use crate::field::only_line;

/// The origins that may act with a login that a browser keeps, as a cookie or at a proxy (RFC 6454): the own one, and
/// the added ones.
///
/// A browser sends a cookie also with requests that another site causes (cross-site request forgery).
/// `Sessions`, `ProxyIdentity`, and JWTs in cookies and in the field of a gateway reject those that change state or
/// open a WebSocket. A scheme of the service with a cookie can do so too:
///
/// ```
/// use auth_runtime::schemes::{Credentials, Scheme, Source, TrustedOrigins, Verification};
/// use auth_runtime::{Caller, Rejection};
/// use http::HeaderName;
///
/// struct Login {
///     origins: TrustedOrigins,
/// }
///
/// impl Scheme for Login {
///     fn name(&self) -> &str {
///         "Cookie"
///     }
///
///     fn sources(&self) -> Vec<Source> {
///         vec![Source::Cookie("__Host-login".to_owned())]
///     }
///
///     fn request_fields(&self) -> Vec<HeaderName> {
///         self.origins.request_fields()
///     }
///
///     fn verify(&self, credentials: &Credentials<'_>) -> Verification {
///         if !self.origins.allow(credentials) {
///             return Verification::done(Caller::Rejected(Rejection::InvalidProof));
///         }
///         // … look the value up
/// #       Verification::done(Caller::rejected())
///     }
/// }
///
/// let origins = TrustedOrigins::default().trust("https://app.example")?;
/// let scheme = Login { origins };
/// # Ok::<(), auth_runtime::schemes::TrustedOriginsError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrustedOrigins(Vec<String>);

impl TrustedOrigins {
    /// Adds an origin, as browsers write it: lower case, without the default port and without a path,
    /// such as `https://app.example`, or `tauri://localhost` of an app. Each host is added by its own name:
    /// wildcards are not supported.
    ///
    /// # Errors
    ///
    /// The text is not an origin.
    pub fn trust(mut self, origin: impl Into<String>) -> Result<Self, TrustedOriginsError> {
        let origin = origin.into();
        if !is_origin(&origin) {
            return Err(TrustedOriginsError(origin));
        }
        self.0.push(origin);
        Ok(self)
    }

    #[cfg(feature = "jwt")]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields that [`allow`](Self::allow) reads, for
    /// [`Scheme::request_fields`](auth_runtime_core::Scheme::request_fields).
    pub fn request_fields(&self) -> Vec<HeaderName> {
        vec![ORIGIN, HOST, SEC_FETCH_SITE, UPGRADE, SEC_WEBSOCKET_KEY]
    }

    /// Returns whether a request may act for the user of the login: it only reads, or comes from a page
    /// of the own origin or an added one, or has neither `Sec-Fetch-Site` nor `Origin`, which current browsers
    /// send.
    ///
    /// A rejected origin is logged at debug level, with the host that it differs from: a proxy in front may drop
    /// or add a port.
    ///
    /// The rules are those of Go's `CrossOriginProtection` and of `tower-http`'s `CsrfLayer`, and
    /// cover WebSockets too: these start with a `GET`, and other sites can read their messages.
    pub fn allow(&self, request: &Credentials<'_>) -> bool {
        let headers = request.headers();
        let only_reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        if only_reads && !opens_websocket(headers) {
            return true;
        }
        let origin = only_line(headers, &ORIGIN);
        if let Some(Some(origin)) = origin
            && self.0.iter().any(|trusted| origin == trusted.as_str())
        {
            return true;
        }
        let is_allowed = match only_line(headers, &SEC_FETCH_SITE) {
            Some(site) => site.is_some_and(|site| site == "same-origin" || site == "none"),
            None => match origin {
                Some(origin) => origin.is_some_and(|origin| is_own(origin, request)),
                // Not a current browser.
                None => true,
            },
        };
        if !is_allowed {
            tracing::debug!(
                origin = start_of(origin.flatten().map(HeaderValue::as_bytes)),
                host = start_of(requested_host(request)),
                sec_fetch_site = start_of(
                    only_line(headers, &SEC_FETCH_SITE)
                        .flatten()
                        .map(HeaderValue::as_bytes)
                ),
                "the origin of a request with the login of a browser is neither the host of the request nor trusted; a \
                 proxy in front has to keep `Host`, with its port, or the service trusts the origin"
            );
        }
        is_allowed
    }
}

/// The start of a value, for the log.
fn start_of(value: Option<&[u8]>) -> String {
    let start = value.map(|value| value.get(..MAX_LOGGED).unwrap_or(value));
    start.map_or_else(String::new, |start| start.escape_ascii().to_string())
}

/// The longest part of a value that is logged, in bytes.
const MAX_LOGGED: usize = 256;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

fn opens_websocket(headers: &HeaderMap) -> bool {
    let mut upgrades = headers.get_all(UPGRADE).iter();
    let names_it = |value: &HeaderValue| {
        let value = value.as_bytes().to_ascii_lowercase();
        value.windows(9).any(|part| part == b"websocket")
    };
    upgrades.any(names_it) || headers.contains_key(SEC_WEBSOCKET_KEY)
}

/// Returns whether the host of an origin is the requested one. Its scheme is unknown if a proxy
/// terminates TLS.
fn is_own(origin: &HeaderValue, request: &Credentials<'_>) -> bool {
    let Ok(origin) = std::str::from_utf8(origin.as_bytes()) else {
        return false;
    };
    let host = origin.split_once("://").map(|(_, host)| host.as_bytes());
    host.zip(requested_host(request))
        .is_some_and(|(host, requested)| host.eq_ignore_ascii_case(requested))
}

/// The host of a request, with its port as the client or the proxy in front sends it.
fn requested_host<'r>(request: &Credentials<'r>) -> Option<&'r [u8]> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str().as_bytes()),
        None => only_line(request.headers(), &HOST)
            .flatten()
            .map(HeaderValue::as_bytes),
    }
}

/// Returns whether the text is a lower-case origin: scheme, host, and a port if it is not the
/// scheme's default (RFC 6454 §6.2). `Uri` accepts characters of a host that no browser sends, such as `*`.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return false;
    };
    let default_port = match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    };
    let port = uri.port_u16();
    let written_port = port.map_or_else(String::new, |port| format!(":{port}"));
    (port.is_none() || port != default_port)
        && is_host(host)
        && !text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text == format!("{scheme}://{host}{written_port}")
}

/// Returns whether a host is a name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    let is_name = |host: &str| {
        let mut bytes = host.bytes();
        !host.is_empty() && bytes.all(|it| it.is_ascii_alphanumeric() || b".-_".contains(&it))
    };
    match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => is_name(host),
    }
}

/// A text that is not an origin, such as `https://app.example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedOriginsError(String);

impl fmt::Display for TrustedOriginsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "{text:?} is not an origin; write scheme and host as a browser does, such as \
             `https://app.example`",
        )
    }
}

impl std::error::Error for TrustedOriginsError {}
