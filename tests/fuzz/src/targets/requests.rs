//! Requests as texts, one line for each field:
//!
//! ```text
//! POST ?page=2
//! @peer: 10.0.0.7:4711
//! authorization: Bearer {token}
//!
//! the body
//! ```
//!
//! Lines that no server would hand on are left out, so that a mutation of one line leaves the others.
//! Fields that start with `@` are about the connection, or about the service.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// The maximum number of fields: that of hyper.
const MAX_FIELDS: usize = 100;

/// A request of a client.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) fields: HeaderMap,
    pub(super) peer: Option<SocketAddr>,
    pub(super) body: Vec<u8>,
    /// The values of the lines with `@`, by their names.
    options: Vec<(String, String)>,
}

impl Sent {
    /// Parses a request for this path; `None` if the first line is not one.
    pub(super) fn parse(input: &[u8], path: &str) -> Option<Self> {
        let (head, body) = match position(input, b"\n\n") {
            Some(end) => (&input[..end], &input[end + 2..]),
            None => (input, &[][..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let (method, query) = first.split_once(' ').unwrap_or((first, ""));
        let mut sent = Self {
            method: method.parse().ok()?,
            uri: format!("{path}{query}").parse().ok()?,
            fields: HeaderMap::new(),
            peer: None,
            body: body.to_vec(),
            options: Vec::new(),
        };
        // A query cannot change the path.
        if sent.uri.path() != path || sent.uri.host().is_some() {
            return None;
        }
        for line in lines {
            let Some(end) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let (name, value) = (&line[..end], line[end + 1..].trim_ascii());
            if let Some(name) = name.strip_prefix(b"@") {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                sent.options.push((text(name), text(value)));
                continue;
            }
            let field = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value));
            if let (Ok(name), Ok(value)) = field
                && sent.fields.len() < MAX_FIELDS
            {
                sent.fields.append(name, value);
            }
        }
        sent.peer = sent.option("peer").and_then(|peer| peer.parse().ok());
        Some(sent)
    }

    /// The value of the first line `@name`.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let mut options = self.options.iter();
        let found = options.find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The lines with `@`, in their order.
    pub(super) fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        let options = self.options.iter();
        options.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The only value of a field, as text.
    pub(super) fn only(&self, name: &str) -> Option<&str> {
        let mut lines = self.fields.get_all(name).iter();
        let only = lines.next()?;
        match lines.next() {
            None => only.to_str().ok(),
            Some(_) => None,
        }
    }

    /// The scheme and the credentials of `Authorization`: one or more spaces separate them (RFC 9110 §11.4).
    pub(super) fn credentials(&self) -> Option<(&str, &str)> {
        let (scheme, credentials) = self.only("authorization")?.split_once(' ')?;
        Some((scheme, credentials.trim_start_matches(' ')))
    }

    /// Returns whether the target, a field or the body contains a text.
    pub(super) fn contains(&self, text: &str) -> bool {
        let is_in = |bytes: &[u8]| position(bytes, text.as_bytes()).is_some();
        is_in(self.uri.to_string().as_bytes())
            || is_in(&self.body)
            || self.fields.values().any(|value| is_in(value.as_bytes()))
    }

    pub(super) fn to_request(&self) -> Request {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.fields.clone();
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        request
    }
}

/// The place of the first occurrence.
pub(super) fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// Replaces `{name}` by a value, for each of these names.
pub(super) fn fill(input: &[u8], values: &[(&str, &str)]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some(brace) = rest.iter().position(|byte| *byte == b'{') {
        let (before, from_brace) = rest.split_at(brace);
        filled.extend_from_slice(before);
        let found = values.iter().find_map(|(name, value)| {
            let behind = from_brace
                .strip_prefix(b"{")?
                .strip_prefix(name.as_bytes())?;
            Some((value.as_bytes(), behind.strip_prefix(b"}")?))
        });
        let (value, behind) = found.unwrap_or_else(|| from_brace.split_at(1));
        filled.extend_from_slice(value);
        rest = behind;
    }
    filled.extend_from_slice(rest);
    filled
}
