use auth_runtime::requires;

#[requires(any(role = "admin", can = "read", on = "Repository::{repo}"))]
async fn handler() {}

fn main() {}
