//! The metadata document of a resource.

use auth_runtime::resource::ProtectedResource;
use auth_runtime::routing::get;
use auth_runtime::schemes::Bearer;
use auth_runtime::{GuardedRouter, ProtectionSpace, requires};
use serde_json::Value;

use crate::credentials::{ISSUER, verifier};
use crate::expect::Response;
use crate::http_vectors::{block_on, request_text};
use crate::policies::serve;
use crate::vector::Metadata;

#[requires(scope = "read")]
async fn read() {}

#[requires(scope = "read", scope = "admin")]
async fn write() {}

pub(crate) fn run(metadata: &Metadata) -> Result<(), String> {
    let resource = ProtectedResource::builder(&metadata.resource).authorization_server(ISSUER);
    let resource = resource.build().map_err(|error| error.to_string())?;
    let space = ProtectionSpace::builder()
        .scheme(Bearer::jwt(verifier()))
        .resource(resource)
        .build()
        .map_err(|error| error.to_string())?;
    let app = GuardedRouter::new()
        .route("/mcp", get(read).post(write))
        .protect(space)
        .map_err(|error| error.to_string())?;
    let request = request_text(&metadata.request, &metadata.request.target, &[])?;
    let method = &metadata.request.method;
    let seen = block_on(async {
        let address = serve(app).await;
        Response::read(&auth_tests::send_raw(address, request).await, method)
    })?;
    let problems = problems(metadata, &seen);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{}\nseen: {seen:#?}", problems.join("\n")))
}

fn problems(metadata: &Metadata, seen: &Response) -> Vec<String> {
    let expect = &metadata.expect;
    let mut problems = Vec::new();
    if expect.status != seen.status {
        problems.push(format!("the status is not {}", expect.status));
    }
    let document: Value = serde_json::from_str(&seen.body).unwrap_or_default();
    let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    for (name, value) in &expect.json {
        if document[name] != *value {
            problems.push(format!("`{name}` is not {value}"));
        }
    }
    for (name, values) in &expect.json_contains {
        if !values.iter().all(|value| list(name).contains(value)) {
            problems.push(format!("`{name}` does not have all of {values:?}"));
        }
    }
    for (name, values) in &expect.json_lacks {
        if values.iter().any(|value| list(name).contains(value)) {
            problems.push(format!("`{name}` has one of {values:?}"));
        }
    }
    for name in &expect.json_nonempty {
        if list(name).is_empty() {
            problems.push(format!("`{name}` is empty"));
        }
    }
    for name in &expect.json_absent_if_empty {
        if document.get(name).is_some() && list(name).is_empty() {
            problems.push(format!("`{name}` is there and empty"));
        }
    }
    for (name, value) in &expect.headers {
        if !seen.values(name).eq([value.as_str()]) {
            problems.push(format!("the field {name} is not {value}"));
        }
    }
    for (name, pattern) in &expect.headers_match {
        let pattern = regex_lite::Regex::new(pattern).expect("a pattern");
        if !seen.values(name).any(|value| pattern.is_match(value)) {
            problems.push(format!("the field {name} does not match {pattern}"));
        }
    }
    problems
}
