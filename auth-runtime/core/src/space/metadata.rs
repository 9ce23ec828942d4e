//! The metadata of the resource that spaces share (RFC 9728).

use auth_runtime_policy::Policy;
use bytes::Bytes;

use super::Space;
use super::accepted_scheme::Accepted;
use crate::protected_resource::{AcceptedTokens, ProtectedResource, scopes_supported};
use crate::scheme::Source;

/// Returns the metadata document of `resource`, serialized as JSON, for the policies and spaces that share it.
pub fn metadata_document<'a>(
    resource: &ProtectedResource,
    policies: impl Iterator<Item = &'a Policy>,
    spaces: impl Iterator<Item = &'a Space>,
) -> Bytes {
    let schemes = spaces.flat_map(|space| &space.schemes);
    let schemes: Vec<&Accepted> = schemes.filter(|accepted| accepted.is_oauth).collect();
    let is_dpop = |accepted: &&Accepted| accepted.name.eq_ignore_ascii_case("DPoP");
    let is_bearer = |accepted: &&Accepted| accepted.name.eq_ignore_ascii_case("Bearer");
    let bearer: Vec<&Accepted> = schemes.iter().copied().filter(is_bearer).collect();
    let tokens = AcceptedTokens {
        bearer_methods: bearer_methods(&bearer),
        dpop_is_required: !schemes.is_empty() && schemes.iter().all(is_dpop),
        can_have_certificates: bearer.iter().any(|accepted| accepted.constrains_sender),
    };
    resource.document(&scopes_supported(policies), &tokens)
}

/// Returns the ways to send a Bearer token, in the terms of RFC 9728 §2.
fn bearer_methods(schemes: &[&Accepted]) -> Vec<&'static str> {
    let mut methods = Vec::new();
    for source in schemes.iter().flat_map(|accepted| &accepted.sources) {
        let method = match source {
            Source::Authorization | Source::BareAuthorization => "header",
            // RFC 9728 has no name for custom fields.
            Source::Field(_) | Source::TextField(_) => continue,
            Source::Cookie(_) | Source::Subprotocol(_) | Source::Connection(_) => continue,
            Source::Query(_) => "query",
            Source::Form(_) => "body",
        };
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    methods
}
