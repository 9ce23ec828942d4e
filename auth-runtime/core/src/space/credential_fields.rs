//! The parts of a request that can carry credentials.

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue, Method};

use super::Space;
use super::accepted_scheme::Accepted;
use crate::head::Head;
use crate::scheme::{Scheme, Source};

/// The method and the query of a request, and the fields that the schemes of a space read.
///
/// Requests that are equal in all of them have the same caller, unless a layer changed the body or the extensions, such
/// as the address of the peer. No client sets an extension.
#[derive(PartialEq, Eq)]
pub struct CredentialFields {
    method: Method,
    query: Option<String>,
    /// Each line, with the name of its field.
    lines: Vec<(HeaderName, HeaderValue)>,
}

impl CredentialFields {
    /// Copies them from a request.
    pub fn of(space: &Space, head: Head<'_>) -> Self {
        let lines = space.credential_fields.iter().flat_map(|field| {
            let values = head.headers.get_all(field).iter();
            values.map(|value| (field.clone(), value.clone()))
        });
        Self {
            method: head.method.clone(),
            query: head.routed_uri.query().map(str::to_owned),
            lines: lines.collect(),
        }
    }
}

/// Returns the fields that the schemes of a space and their applications read, each once.
pub(super) fn credential_fields(schemes: &[Accepted]) -> Vec<HeaderName> {
    let mut fields = vec![AUTHORIZATION, COOKIE];
    for accepted in schemes {
        let places = accepted.places().filter_map(Source::field).cloned();
        let further = accepted.scheme.request_fields();
        let application = accepted.scheme.application().map(Scheme::request_fields);
        for field in places.chain(further).chain(application.unwrap_or_default()) {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
    }
    fields
}
