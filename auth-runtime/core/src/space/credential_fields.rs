//! The parts of a request that can carry credentials.

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue, Method};

use super::Space;
use super::accepted_scheme::Accepted;
use crate::head::Head;
use crate::scheme::Source;

/// Proofs of possession, which belong to the credentials in another field.
const PROOFS: [HeaderName; 4] = [
    HeaderName::from_static("dpop"),
    HeaderName::from_static("client-cert"),
    HeaderName::from_static("ssl-client-cert"),
    HeaderName::from_static("x-forwarded-client-cert"),
];

/// The method and the query of a request, and the fields that the schemes of a space read.
///
/// Requests that are equal in all of them have the same caller.
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
        let mut fields = vec![AUTHORIZATION, COOKIE];
        fields.extend(PROOFS);
        let sources = space.schemes.iter().flat_map(Accepted::places);
        for field in sources.filter_map(Source::field) {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
        }
        let lines = fields.iter().flat_map(|field| {
            let values = head.headers.get_all(field).iter();
            values.map(|value| (field.clone(), value.clone()))
        });
        Self {
            method: head.method.clone(),
            query: head.uri.query().map(str::to_owned),
            lines: lines.collect(),
        }
    }
}
