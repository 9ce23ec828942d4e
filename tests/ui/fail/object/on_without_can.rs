use auth_runtime::requires;

#[requires(scope = "repo", on = "Repository::{repo}")]
async fn handler() {}

fn main() {}
