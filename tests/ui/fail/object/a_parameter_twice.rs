use auth_runtime::requires;

#[requires(can = "read", on = "Repository::{owner}/{owner}")]
async fn handler() {}

fn main() {}
