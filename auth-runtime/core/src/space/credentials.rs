//! The credentials of a request: their places and values.

use std::borrow::Cow;
use std::fmt;

use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::accepted_scheme::Accepted;
use super::target::Target;
use super::used_scheme::{CredentialsPlace, UsedScheme};
use super::{MAX_CREDENTIALS, Space};
use crate::caller::{Caller, Rejection};
use crate::client_address::ClientAddress;
use crate::clock::Clock;
use crate::cookies;
use crate::head::Head;
use crate::scheme::verification::Verification;
use crate::scheme::{Credentials, Scheme, Source};

/// Credentials that a request carries for one scheme, in one place.
pub(super) struct Presented<'s, 'r> {
    /// The index of the scheme in the order of the space.
    index: usize,
    pub(super) accepted: &'s Accepted,
    place: CredentialsPlace,
    source: &'s Source,
    value: Result<Cow<'r, [u8]>, CredentialsError>,
}

/// Unreadable credentials (rule 5).
pub(crate) enum CredentialsError {
    /// The place holds more than one credential, or an unreadable body.
    Ambiguous,
}

impl Presented<'_, '_> {
    pub(super) fn used(&self) -> UsedScheme {
        UsedScheme {
            index: self.index,
            place: self.place,
        }
    }

    /// Returns whether the scheme has a challenge. Rejected credentials of other schemes count as none.
    pub(super) fn has_challenge(&self) -> bool {
        self.accepted.plain.is_some()
    }

    pub(super) fn is_readable(&self) -> bool {
        self.value.is_ok()
    }

    /// Returns the indexes of the schemes that read the credentials of an application in this place.
    pub(super) fn accompanies(&self, space: &Space) -> Vec<usize> {
        let schemes = space.schemes.iter().enumerate();
        let owners = schemes.filter(|(_, accepted)| {
            let application = accepted.application.as_ref();
            application.is_some_and(|application| application.sources.contains(self.source))
        });
        owners.map(|(index, _)| index).collect()
    }

    /// Starts to verify them; `None` if they, or the body that they sign, cannot be read.
    pub(super) fn verify(
        &self,
        head: Head<'_>,
        client_address: &ClientAddress,
        clock: &Clock,
    ) -> Option<Verification> {
        let value = self.value.as_ref().ok()?;
        let signed = self.accepted.signs_body.then(|| head.extensions.get());
        let body = match signed.flatten() {
            Some(RequestBody::Read(body)) => Some(body),
            Some(RequestBody::Unreadable) => return None,
            None => None,
        };
        let verify = |value: &str| {
            let credentials = Credentials::new(value, head, client_address, clock, body);
            credentials.verify_by(&*self.accepted.scheme)
        };
        Some(verify_value(value, self.source, verify))
    }
}

/// Verifies a value that is well-formed; rejects others.
fn verify_value(
    value: &[u8],
    source: &Source,
    verify: impl FnOnce(&str) -> Verification,
) -> Verification {
    if matches!(source, Source::Connection(_)) {
        return verify("");
    }
    let is_text = matches!(source, Source::TextField(_));
    let is_field = !matches!(
        source,
        Source::Cookie(_) | Source::Query(_) | Source::Form(_)
    );
    match well_formed(value, is_text) {
        Some(value) => verify(value),
        None if is_field && value.len() > MAX_CREDENTIALS => {
            Verification::done(Caller::Rejected(Rejection::TooLong))
        }
        None => Verification::done(Caller::Rejected(Rejection::Malformed)),
    }
}

/// Credentials beside those of another scheme.
pub(crate) struct Accompanying<'s, 'r> {
    value: Cow<'r, [u8]>,
    source: &'s Source,
}

impl<'s, 'r> Accompanying<'s, 'r> {
    /// Finds the credentials in these places of the request with `beside`.
    pub(crate) fn find(
        scheme: &dyn Scheme,
        sources: &'s [Source],
        beside: &Credentials<'r>,
    ) -> Result<Option<Self>, CredentialsError> {
        let mut found = None;
        for source in sources {
            let Some(value) = value_in(source, scheme.name(), beside.head())? else {
                continue;
            };
            if found.is_some() {
                return Err(CredentialsError::Ambiguous);
            }
            found = Some(Self { value, source });
        }
        Ok(found)
    }

    /// Returns whether the credentials are this text. The spaces around do not belong to them.
    pub(crate) fn are(&self, text: &str) -> bool {
        self.value.trim_ascii() == text.as_bytes()
    }

    /// Starts to verify the credentials.
    pub(crate) fn verify(&self, scheme: &dyn Scheme, beside: &Credentials<'_>) -> Verification {
        verify_value(&self.value, self.source, |value| {
            beside.with_value(value).verify_by(scheme)
        })
    }
}

/// All credentials that a request carries for some schemes.
pub(super) enum PresentedCredentials<'s, 'r> {
    Nothing,
    /// A variant of its own, since most requests carry at most one.
    One(Presented<'s, 'r>),
    Several(Vec<Presented<'s, 'r>>),
}

impl<'s, 'r> PresentedCredentials<'s, 'r> {
    fn push(&mut self, new: Presented<'s, 'r>) {
        match self {
            Self::Nothing => *self = Self::One(new),
            Self::Several(several) => several.push(new),
            Self::One(_) => {
                if let Self::One(one) = std::mem::replace(self, Self::Nothing) {
                    *self = Self::Several(vec![one, new]);
                }
            }
        }
    }
}

impl Space {
    /// Finds the credentials that a request carries for the schemes that `matches`.
    pub(super) fn find<'r>(
        &self,
        head: Head<'r>,
        matches: impl Fn(&Accepted) -> bool,
    ) -> PresentedCredentials<'_, 'r> {
        let mut found = PresentedCredentials::Nothing;
        let schemes = self.schemes.iter().enumerate();
        for (index, accepted) in schemes.filter(|(_, accepted)| matches(accepted)) {
            for source in &accepted.sources {
                let presented = |place, value| Presented {
                    index,
                    accepted,
                    place,
                    source,
                    value,
                };
                let place = match source {
                    Source::Authorization => CredentialsPlace::Authorization,
                    Source::BareAuthorization if self.names_scheme(head) => continue,
                    Source::BareAuthorization => CredentialsPlace::Authorization,
                    Source::Cookie(name) => {
                        for value in cookies::values(head.headers, name) {
                            found.push(presented(
                                CredentialsPlace::Cookie,
                                Ok(Cow::Borrowed(value)),
                            ));
                        }
                        continue;
                    }
                    Source::Field(_) | Source::TextField(_) | Source::Subprotocol(_) => {
                        CredentialsPlace::Field
                    }
                    Source::Query(_) | Source::Form(_) => CredentialsPlace::Elsewhere,
                    Source::Connection(_) => CredentialsPlace::Connection,
                };
                match value_in(source, &accepted.name, head) {
                    Ok(None) => {}
                    Ok(Some(value)) => found.push(presented(place, Ok(value))),
                    Err(error) => found.push(presented(place, Err(error))),
                }
            }
        }
        found
    }

    /// Returns whether `Authorization` starts with the name of a scheme of this space.
    fn names_scheme(&self, head: Head<'_>) -> bool {
        let mut named = self.schemes.iter().filter(|accepted| {
            let mut sources = accepted.sources.iter();
            sources.any(|source| *source == Source::Authorization)
        });
        let lines = head.headers.get_all(AUTHORIZATION);
        named.any(|accepted| {
            let mut lines = lines.iter().map(HeaderValue::as_bytes);
            lines.any(|line| after_scheme(line, &accepted.name).is_some())
        })
    }
}

/// Returns the credentials in one place of a request, for the scheme of this name.
fn value_in<'r>(
    source: &Source,
    scheme: &str,
    head: Head<'r>,
) -> Result<Option<Cow<'r, [u8]>>, CredentialsError> {
    match source {
        Source::Authorization => {
            let line = single_line(head, &AUTHORIZATION)?;
            let value = line.and_then(|line| after_scheme(line, scheme));
            Ok(value.map(Cow::Borrowed))
        }
        Source::BareAuthorization => {
            let line = single_line(head, &AUTHORIZATION)?;
            let bare = line.filter(|line| !line.trim_ascii().contains(&b' '));
            Ok(bare.map(Cow::Borrowed))
        }
        Source::Field(field) => Ok(single_line(head, field)?.map(Cow::Borrowed)),
        Source::TextField(field) => {
            let text = single_line(head, field)?.filter(|line| !line.trim_ascii().is_empty());
            Ok(text.map(Cow::Borrowed))
        }
        // A browser may send several; `find` reads them.
        Source::Cookie(_) => Ok(None),
        Source::Subprotocol(name) => after_subprotocol(head.headers, name),
        Source::Query(name) => match head.routed_uri.query() {
            Some(query) => single_value(query.as_bytes(), name),
            None => Ok(None),
        },
        Source::Form(name) => match head.extensions.get() {
            Some(RequestBody::Read(form)) if is_form(head) => single_value(form, name),
            Some(RequestBody::Read(_)) => Ok(None),
            Some(RequestBody::Unreadable) => Err(CredentialsError::Ambiguous),
            None => Ok(None),
        },
        Source::Connection(field) => {
            let is_described = field
                .as_ref()
                .is_none_or(|field| head.headers.contains_key(field));
            Ok(is_described.then_some(Cow::Borrowed(&[])))
        }
    }
}

fn single_line<'r>(
    head: Head<'r>,
    field: &HeaderName,
) -> Result<Option<&'r [u8]>, CredentialsError> {
    let mut lines = head.headers.get_all(field).iter();
    let line = lines.next().map(http::HeaderValue::as_bytes);
    match lines.next() {
        None => Ok(line),
        Some(_) => Err(CredentialsError::Ambiguous),
    }
}

/// Returns the text after the scheme's name in `Authorization`, if the name is `name`.
fn after_scheme<'r>(line: &'r [u8], name: &str) -> Option<&'r [u8]> {
    let (scheme, rest) = line.split_at_checked(name.len())?;
    let ends = rest.first().is_none_or(|byte| *byte == b' ');
    // Most clients write the name as it is registered, and equal bytes are found faster.
    let is_same = scheme == name.as_bytes() || scheme.eq_ignore_ascii_case(name.as_bytes());
    (ends && is_same).then_some(rest)
}

/// Returns the subprotocols that a request offers, on any number of lines.
fn subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}

/// Returns the value that is offered after the subprotocol of that name. Without a value, it is empty.
fn after_subprotocol<'r>(
    headers: &'r HeaderMap,
    name: &str,
) -> Result<Option<Cow<'r, [u8]>>, CredentialsError> {
    let mut offered = subprotocols(headers);
    if !offered.any(|own| own == name.as_bytes()) {
        return Ok(None);
    }
    let value = offered.next().unwrap_or_default();
    if value == name.as_bytes() || offered.any(|own| own == name.as_bytes()) {
        Err(CredentialsError::Ambiguous)
    } else {
        Ok(Some(Cow::Borrowed(value)))
    }
}

/// Returns credentials that are well-formed: not empty, not too long, and visible ASCII, or text without
/// control characters.
fn well_formed(mut value: &[u8], is_text: bool) -> Option<&str> {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = value {
        value = rest;
    }
    let value = std::str::from_utf8(value).ok()?;
    let fits = !value.is_empty() && value.len() <= MAX_CREDENTIALS;
    // It reads to the end: without an early exit, the loop handles many bytes at a time.
    let is_visible = |all, byte| all & matches!(byte, b' '..=b'~');
    let is_allowed = || {
        if is_text {
            !value.contains(char::is_control)
        } else {
            value.bytes().fold(true, is_visible)
        }
    };
    (fits && is_allowed()).then_some(value)
}

/// Returns the value of the only parameter of that name.
fn single_value(
    encoded: &[u8],
    name: &str,
) -> Result<Option<Cow<'static, [u8]>>, CredentialsError> {
    let mut values = form_urlencoded::parse(encoded).filter(|(key, _)| key == name);
    let value = values.next();
    match values.next() {
        None => Ok(value.map(|(_, value)| Cow::Owned(value.into_owned().into_bytes()))),
        Some(_) => Err(CredentialsError::Ambiguous),
    }
}

/// The body of a request: a form with credentials, or a body that credentials sign. An adapter reads it if
/// [`reads_body_of`](Space::reads_body_of) returns true, and inserts it into the extensions
/// of the request before authentication.
#[derive(Clone)]
pub enum RequestBody {
    /// The body.
    Read(bytes::Bytes),
    /// The body is longer than [`max_body`](crate::ProtectionSpaceBuilder::max_body), or incomplete.
    Unreadable,
}

impl RequestBody {
    /// Returns whether the body of a request could not be read. Its body is gone, so the request is
    /// invalid, whichever credentials it carries.
    pub fn is_unreadable(head: Head<'_>) -> bool {
        matches!(head.extensions.get(), Some(Self::Unreadable))
    }
}

/// The body may hold credentials.
impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(body) => write!(f, "Read({} bytes)", body.len()),
            Self::Unreadable => f.write_str("Unreadable"),
        }
    }
}

/// The places of credentials in a request.
impl Space {
    /// Returns the subprotocol to accept in the response to the handshake of a WebSocket, if the handler
    /// accepts none: the name before the credentials. A browser closes the connection otherwise.
    pub fn subprotocol(&self, head: Head<'_>) -> Option<HeaderValue> {
        let mut names = self.subprotocols.iter();
        let name = names.find(|name| {
            let is_handshake = head.method == Method::CONNECT || head.headers.contains_key(UPGRADE);
            is_handshake && subprotocols(head.headers).any(|own| own == name.as_bytes())
        });
        name.cloned()
    }

    /// Returns whether the body of a request has to be read before authentication: to search a form for
    /// credentials of a scheme that counts for `target`, or to verify credentials that sign the body.
    pub fn reads_body_of(&self, head: Head<'_>, target: Target<'_>) -> bool {
        let readers = self.body_readers.iter();
        let mut readers = readers.filter_map(|index| self.schemes.get(*index));
        readers.any(|accepted| {
            if !target.counts(accepted) {
                return false;
            }
            let mut sources = accepted.sources.iter();
            sources.any(|source| match source {
                Source::Form(_) => is_form(head),
                _ if accepted.signs_body => {
                    let field = source.field();
                    field.is_some_and(|field| head.headers.contains_key(field))
                }
                _ => false,
            })
        })
    }
}

/// Returns whether a request carries a form, with a method that has a defined body (RFC 6750 §2.2).
fn is_form(head: Head<'_>) -> bool {
    use http::header::CONTENT_TYPE;

    let content_type = head.headers.get(CONTENT_TYPE);
    let media_type = content_type
        .and_then(|value| value.to_str().ok()?.split(';').next())
        .unwrap_or_default();
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(head.method);
    has_body
        && media_type
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::RequestBody;

    #[test]
    fn debug_of_body_shows_no_credentials() {
        let body = RequestBody::Read(bytes::Bytes::from_static(b"access_token=secret"));
        assert_eq!(format!("{body:?}"), "Read(19 bytes)");
        assert_eq!(format!("{:?}", RequestBody::Unreadable), "Unreadable");
    }
}
