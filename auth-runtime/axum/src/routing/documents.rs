//! The metadata documents of protected resources (RFC 9728).

use std::collections::HashSet;

use auth_runtime_core::adapter::{metadata_document, metadata_response};
use axum::Router;
use axum::body::Body;
use axum::routing::MethodFilter;
use http::Method;

use crate::routing::endpoint::uncacheable_405;
use crate::routing::member::Member;

/// The routes of the metadata documents (RFC 9728), one per resource, each with the first member that has it.
pub(super) fn documents<'m>(
    members: &'m [Member],
    hidden_paths: &HashSet<String>,
) -> Vec<(&'m Member, Router)> {
    let mut documents = Vec::new();
    let mut paths = Vec::new();
    for member in members {
        let Some(resource) = member.space.resource() else {
            continue;
        };
        let path = resource.metadata_path();
        if paths.contains(&path) {
            continue;
        }
        paths.push(path);
        let sharing = members.iter().filter(|other| {
            let other = other.space.resource();
            other.is_some_and(|other| other.metadata_path() == path)
        });
        let spaces = sharing.clone().map(|member| &*member.space);
        // The other methods of a hidden path are hidden as well.
        let policies = sharing
            .flat_map(|member| &member.router.routes)
            .filter(|route| !hidden_paths.contains(&route.full_path))
            .map(|route| route.endpoint.policy);
        let document = metadata_document(resource, policies, spaces);
        let answer =
            async move |method: Method| metadata_response(&document, &method).map(Body::from);
        let methods = MethodFilter::GET.or(MethodFilter::OPTIONS);
        // unguarded: the metadata say how to get credentials, so they need none (RFC 9728)
        let handler = axum::routing::on(methods, answer).merge(uncacheable_405());
        documents.push((member, Router::new().route(path, handler)));
    }
    documents
}
