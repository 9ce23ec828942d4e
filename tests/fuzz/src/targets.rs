//! The targets.

mod accept;
mod access_lock;
mod addresses;
mod api_key;
mod attribute;
mod basic;
mod bearer;
mod cedar_schema;
mod challenge;
mod client_certificate;
mod credentials;
mod digest;
mod dpop;
mod hiding;
mod introspection;
mod jwks;
mod jwt;
mod proxy_identity;
mod requests;
mod resource_pattern;
mod return_path;
mod route_pattern;
mod service;
mod sessions;
mod signed_urls;
mod vocabulary;
mod webhooks;

use crate::Target;

/// All targets.
pub const TARGETS: &[Target] = &[
    accept::TARGET,
    access_lock::TARGET,
    addresses::TARGET,
    api_key::TARGET,
    attribute::TARGET,
    basic::TARGET,
    bearer::TARGET,
    cedar_schema::TARGET,
    challenge::TARGET,
    client_certificate::TARGET,
    credentials::TARGET,
    digest::TARGET,
    dpop::TARGET,
    hiding::TARGET,
    introspection::TARGET,
    jwks::TARGET,
    jwt::TARGET,
    proxy_identity::TARGET,
    resource_pattern::TARGET,
    return_path::TARGET,
    route_pattern::TARGET,
    sessions::TARGET,
    signed_urls::TARGET,
    vocabulary::TARGET,
    webhooks::TARGET,
];
