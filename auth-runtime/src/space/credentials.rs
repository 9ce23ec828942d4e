//! Where in a request the credentials are.

use std::borrow::Cow;

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::sender::Used;
use super::{Accepted, ProtectionSpace, Space};
use crate::head::Head;
use crate::scheme::Source;

/// The credentials that were sent for an accepted scheme.
pub(super) struct Presented<'s, 'r> {
    /// The place of the scheme in the order.
    pub(super) index: usize,
    pub(super) accepted: &'s Accepted,
    pub(super) in_authorization: bool,
    pub(super) value: Cow<'r, [u8]>,
}

impl Presented<'_, '_> {
    pub(super) fn used(&self) -> Used {
        Used::Scheme {
            index: self.index,
            in_authorization: self.in_authorization,
        }
    }
}

/// A request that carries credentials in a way that none is meant to be carried in (rule 5): in more
/// than one place, or in a form that cannot be read.
pub(super) enum Carried {
    Badly,
}

impl Space {
    /// The credentials of the one accepted scheme that a request carries some of.
    pub(super) fn presented<'r>(
        &self,
        head: Head<'r>,
    ) -> Result<Option<Presented<'_, 'r>>, Carried> {
        let mut presented = None;
        for (index, accepted) in self.schemes.iter().enumerate() {
            for source in &accepted.sources {
                let Some(value) = accepted.value_in(source, head)? else {
                    continue;
                };
                let found = Presented {
                    index,
                    accepted,
                    in_authorization: *source == Source::Authorization,
                    value,
                };
                if presented.replace(found).is_some() {
                    return Err(Carried::Badly);
                }
            }
        }
        Ok(presented)
    }
}

impl Accepted {
    fn value_in<'r>(
        &self,
        source: &Source,
        head: Head<'r>,
    ) -> Result<Option<Cow<'r, [u8]>>, Carried> {
        match source {
            Source::Authorization => {
                let line = single_line(head, &AUTHORIZATION)?;
                let value = line.and_then(|line| after_scheme(line, &self.name));
                Ok(value.map(Cow::Borrowed))
            }
            Source::Field(field) => Ok(single_line(head, field)?.map(Cow::Borrowed)),
            #[cfg(feature = "sessions")]
            Source::Cookie(name) => Ok(single_cookie(head, name)?.map(Cow::Borrowed)),
            #[cfg(any(feature = "form", feature = "secret-urls"))]
            Source::Query(name) => match head.uri.query() {
                Some(query) => single_value(query.as_bytes(), name),
                None => Ok(None),
            },
            #[cfg(feature = "form")]
            Source::Form(name) => match head.extensions.get::<ReadForm>() {
                Some(ReadForm::Read(form)) => single_value(form, name),
                Some(ReadForm::Unreadable) => Err(Carried::Badly),
                None => Ok(None),
            },
        }
    }
}

fn single_line<'r>(head: Head<'r>, field: &HeaderName) -> Result<Option<&'r [u8]>, Carried> {
    let mut lines = head.headers.get_all(field).iter();
    let line = lines.next().map(http::HeaderValue::as_bytes);
    match lines.next() {
        None => Ok(line),
        Some(_) => Err(Carried::Badly),
    }
}

/// The value of the one cookie of that name (RFC 6265 §4.2.1), on however many lines a client sends
/// its cookies (RFC 9113 §8.2.3).
///
/// A second one was set by another host of the site, or for another path, and which one is meant
/// nobody can say. One whose name is this one in another spelling never got it past a browser that
/// protects `__Host-` names, and libraries that decode names, or trim more spaces off them than
/// browsers do, would take it for this one.
#[cfg(feature = "sessions")]
fn single_cookie<'r>(head: Head<'r>, name: &str) -> Result<Option<&'r [u8]>, Carried> {
    use http::header::COOKIE;
    use percent_encoding::percent_decode;

    let mut found = None;
    let lines = head.headers.get_all(COOKIE).iter();
    for pair in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';')) {
        let Some(end) = pair.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let (own, value) = pair.split_at(end);
        let own = own.trim_ascii();
        // As the session layer does it: by all that Unicode calls a space.
        let trimmed = String::from_utf8_lossy(own);
        if !percent_decode(trimmed.trim().as_bytes()).eq(name.bytes()) {
            continue;
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if own != name.as_bytes() || found.replace(value).is_some() {
            return Err(Carried::Badly);
        }
    }
    Ok(found)
}

/// What stands behind the scheme's name in `Authorization`, if the name is this one.
fn after_scheme<'r>(line: &'r [u8], name: &str) -> Option<&'r [u8]> {
    let (scheme, rest) = line.split_at_checked(name.len())?;
    let ends = rest.first().is_none_or(|byte| *byte == b' ');
    (ends && scheme.eq_ignore_ascii_case(name.as_bytes())).then_some(rest)
}

/// Credentials that a scheme can be asked to look at: not empty, not endless, visible ASCII.
pub(super) fn well_formed(value: &[u8]) -> Option<&str> {
    let value = std::str::from_utf8(value).ok()?.trim_matches(' ');
    let fits = !value.is_empty() && value.len() <= ProtectionSpace::MAX_CREDENTIALS;
    // To the end in any case: without a way out in its middle, the loop takes many bytes at a time.
    let is_visible = |all, byte| all & matches!(byte, b' '..=b'~');
    (fits && value.bytes().fold(true, is_visible)).then_some(value)
}

/// The value of the one parameter of that name.
#[cfg(any(feature = "form", feature = "secret-urls"))]
fn single_value(encoded: &[u8], name: &str) -> Result<Option<Cow<'static, [u8]>>, Carried> {
    let mut values = form_urlencoded::parse(encoded).filter(|(key, _)| key == name);
    let value = values.next();
    match values.next() {
        None => Ok(value.map(|(_, value)| Cow::Owned(value.into_owned().into_bytes()))),
        Some(_) => Err(Carried::Badly),
    }
}

/// The form that a request carries, read before anybody else gets to it. In the request's
/// extensions, since that is where everything is found that is known of a request.
#[cfg(feature = "form")]
#[derive(Clone)]
enum ReadForm {
    Read(bytes::Bytes),
    /// Longer than [`ProtectionSpace::MAX_FORM`], or it broke off.
    Unreadable,
}

/// The forms of requests, where a scheme of the space accepts credentials in them.
#[cfg(feature = "form")]
impl ProtectionSpace {
    /// Whether a request carries a form that has to be searched for credentials.
    pub(crate) fn reads_form_of(&self, request: &axum::extract::Request) -> bool {
        let mut sources = self.0.schemes.iter().flat_map(|accepted| &accepted.sources);
        sources.any(|source| matches!(source, Source::Form(_))) && is_form(Head::of(request))
    }

    /// Reads the form of a request that has to be searched; the body stays as it was.
    pub(crate) async fn read_form_of(
        &self,
        request: axum::extract::Request,
    ) -> axum::extract::Request {
        use axum::body::{Body, to_bytes};

        if !self.reads_form_of(&request) {
            return request;
        }
        let (mut head, body) = request.into_parts();
        let (form, body) = match to_bytes(body, Self::MAX_FORM).await {
            Ok(bytes) => (ReadForm::Read(bytes.clone()), Body::from(bytes)),
            Err(_) => (ReadForm::Unreadable, Body::empty()),
        };
        head.extensions.insert(form);
        axum::extract::Request::from_parts(head, body)
    }

    /// Removes the form that was read from the extensions of a request, where another request could get
    /// a copy of it.
    pub(crate) fn forget_form_of(&self, request: &mut axum::extract::Request) {
        request.extensions_mut().remove::<ReadForm>();
    }
}

/// The same without the feature: no form is read.
#[cfg(all(feature = "axum", not(feature = "form")))]
impl ProtectionSpace {
    pub(crate) fn reads_form_of(&self, _: &axum::extract::Request) -> bool {
        false
    }

    pub(crate) async fn read_form_of(
        &self,
        request: axum::extract::Request,
    ) -> axum::extract::Request {
        request
    }

    pub(crate) fn forget_form_of(&self, _: &mut axum::extract::Request) {}
}

/// Whether a request carries a form whose body has a meaning (RFC 6750 §2.2).
#[cfg(feature = "form")]
fn is_form(head: Head<'_>) -> bool {
    use http::{Method, header::CONTENT_TYPE};

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

#[cfg(feature = "resource-metadata")]
impl ProtectionSpace {
    /// How tokens may be sent, in the words of RFC 9728 §2.
    pub(crate) fn bearer_methods(&self) -> Vec<&'static str> {
        let tokens = self.0.schemes.iter().filter(|accepted| accepted.is_oauth);
        let mut methods = Vec::new();
        for source in tokens.flat_map(|accepted| &accepted.sources) {
            let method = match source {
                Source::Authorization => "header",
                // Fields of one's own are in no standard.
                Source::Field(_) => continue,
                #[cfg(feature = "sessions")]
                Source::Cookie(_) => continue,
                #[cfg(any(feature = "form", feature = "secret-urls"))]
                Source::Query(_) => "query",
                #[cfg(feature = "form")]
                Source::Form(_) => "body",
            };
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        methods
    }
}
