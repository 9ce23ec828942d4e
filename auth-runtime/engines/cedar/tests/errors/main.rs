//! Mistakes in policies and schemas, and policies that fail.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod mistakes;
mod requests;

use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, Evaluation, EvaluationRequest, ObjectDecision, Resource, Value,
};
use auth_runtime_cedar::{Cedar, CedarError};
use http::Method;

const SCHEMA: &str = "entity User;
entity Repository { public: Bool };
action read, update appliesTo { principal: User, resource: Repository };
";

fn error(policies: &str, schema: Option<&str>) -> String {
    let builder = Cedar::builder().policies(policies);
    let builder = match schema {
        Some(schema) => builder.schema(schema),
        None => builder,
    };
    builder.build().expect_err("a mistake").to_string()
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

fn ask(cedar: &Cedar, action: &'static str, resource: Resource) -> Result<bool, String> {
    ask_as(cedar, &Identity::new("ann"), action, resource)
}

fn ask_as(
    cedar: &Cedar,
    identity: &Identity,
    action: &'static str,
    resource: Resource,
) -> Result<bool, String> {
    let question = [Evaluation::new(action, resource)];
    ask_request(cedar, EvaluationRequest::new(identity, &question))
}

fn ask_request(cedar: &Cedar, request: EvaluationRequest<'_>) -> Result<bool, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let decisions = runtime.block_on(cedar.evaluate(request));
    let decisions = decisions.map_err(|error| error.to_string())?;
    assert_eq!(decisions.len(), 1);
    Ok(decisions[0].is_allowed())
}

fn repository() -> Resource {
    Resource::new("Repository", "garden")
}

#[test]
fn reload_replaces_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forge.cedar");
    let write = |text: &str| fs::write(&file, text).unwrap();
    write("permit (principal, action == Action::\"read\", resource);");
    let cedar = Cedar::builder()
        .policy_file(&file)
        .schema(SCHEMA)
        .build()
        .unwrap();
    let in_space = cedar.clone();
    let both = || {
        ["read", "update"].map(|action| {
            let resource = repository().with_property("public", true);
            ask(&in_space, action, resource).unwrap()
        })
    };
    assert_eq!(both(), [true, false]);

    write("permit (principal, action == Action::\"update\", resource);");
    assert_eq!(both(), [true, false]);
    cedar.reload().unwrap();
    assert_eq!(both(), [false, true]);

    for broken in [
        "permit (principal, action, resource",
        "permit (principal, action == Action::\"rename\", resource);",
        "permit (principal, action, resource) when { resource.secret };",
        "permit (principal == ?principal, action, resource);",
        "",
    ] {
        write(broken);
        cedar.reload().expect_err("a mistake");
        assert_eq!(both(), [false, true], "{broken}");
    }
    fs::remove_file(&file).unwrap();
    assert!(matches!(cedar.reload(), Err(CedarError::File { .. })));
    assert_eq!(both(), [false, true]);

    write(
        "permit (principal, action, resource); forbid (principal, action == Action::\"read\", resource);",
    );
    cedar.reload().unwrap();
    assert_eq!(both(), [false, true]);
    write("permit (principal, action, resource);");
    cedar.reload().unwrap();
    assert_eq!(both(), [true, true]);
}

#[test]
fn debug_has_no_data() {
    let builder = Cedar::builder()
        .policies("permit (principal == User::\"ann\", action, resource);")
        .schema(SCHEMA);
    let builder_text = format!("{builder:?}");
    let text = format!("{builder_text} {:?}", builder.build().unwrap());
    assert_has(&text, &["policies: 1"]);
    assert!(!text.contains("ann"), "{text}");
}
