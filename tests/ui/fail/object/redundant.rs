use auth_runtime::requires;

#[requires(can = "read", can = "read", on = "Repository::{repo}")]
async fn twice() {}

#[requires(authenticated, can = "read", on = "Repository::{repo}")]
async fn implied() {}

fn main() {}
