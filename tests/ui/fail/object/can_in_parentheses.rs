use auth_runtime::requires;

#[requires(can("read"), on = "Repository::{repo}")]
async fn handler() {}

fn main() {}
