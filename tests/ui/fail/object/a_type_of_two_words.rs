use auth_runtime::requires;

#[requires(can = "read", on = "My Repository::{repo}")]
async fn handler() {}

fn main() {}
