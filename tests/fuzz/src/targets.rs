//! The targets.

mod accept;
mod access_claim;
mod access_lock;
mod access_matrix;
mod addresses;
mod api_key;
mod attribute;
mod authzen;
mod basic;
mod bearer;
mod cedar;
mod cedar_schema;
mod challenge;
mod client_certificate;
mod cookies;
mod credentials;
mod digest;
mod discovery;
mod dpop;
mod envoy;
mod git_output;
mod hiding;
mod htdigest;
mod http_server;
mod introspection;
mod json;
mod jwks;
mod jwt;
mod load_balancer;
mod package;
mod policy_diff;
mod proxy_identity;
mod requests;
mod resource_pattern;
mod return_path;
mod route_pattern;
mod router_shapes;
mod rust_sources;
mod service;
mod session_values;
mod sessions;
mod signed_urls;
mod spicedb;
mod vocabulary;
mod webhooks;

use crate::Target;

/// All targets.
pub const TARGETS: &[Target] = &[
    accept::TARGET,
    access_claim::TARGET,
    access_lock::TARGET,
    access_matrix::TARGET,
    addresses::TARGET,
    api_key::TARGET,
    attribute::TARGET,
    authzen::TARGET,
    basic::TARGET,
    bearer::TARGET,
    cedar::TARGET,
    cedar_schema::TARGET,
    challenge::TARGET,
    client_certificate::TARGET,
    cookies::TARGET,
    credentials::TARGET,
    digest::TARGET,
    discovery::TARGET,
    dpop::TARGET,
    envoy::TARGET,
    git_output::TARGET,
    hiding::TARGET,
    htdigest::TARGET,
    introspection::TARGET,
    jwks::TARGET,
    jwt::TARGET,
    load_balancer::TARGET,
    policy_diff::TARGET,
    proxy_identity::TARGET,
    resource_pattern::TARGET,
    return_path::TARGET,
    route_pattern::TARGET,
    router_shapes::TARGET,
    rust_sources::TARGET,
    session_values::TARGET,
    sessions::TARGET,
    signed_urls::TARGET,
    spicedb::TARGET,
    vocabulary::TARGET,
    webhooks::TARGET,
];
