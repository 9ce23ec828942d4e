use auth_runtime::requires;

#[requires(action = "read", on = "Repository::{repo}")]
async fn handler() {}

#[requires(can = "read", resource = "Repository::{repo}")]
async fn resource() {}

fn main() {}
