//! The parts of a request that can carry credentials.

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderValue, Method};

use super::ProtectionSpace;
use crate::head::Head;
use crate::scheme::Source;

/// The method and the query of a request, and the fields that schemes of some spaces read.
///
/// Requests that are equal in all of them have the same caller.
#[derive(PartialEq, Eq)]
pub struct CredentialFields {
    method: Method,
    query: Option<String>,
    values: Vec<HeaderValue>,
}

impl CredentialFields {
    /// Copies them from a request.
    pub fn of(spaces: &[ProtectionSpace], head: Head<'_>) -> Self {
        let schemes = spaces.iter().flat_map(|space| &space.0.schemes);
        let mut fields = vec![AUTHORIZATION, COOKIE];
        for source in schemes.flat_map(|accepted| &accepted.sources) {
            if let Source::Field(field) = source
                && !fields.contains(field)
            {
                fields.push(field.clone());
            }
        }
        let values = fields
            .iter()
            .flat_map(|field| head.headers.get_all(field))
            .cloned();
        Self {
            method: head.method.clone(),
            query: head.uri.query().map(str::to_owned),
            values: values.collect(),
        }
    }
}
