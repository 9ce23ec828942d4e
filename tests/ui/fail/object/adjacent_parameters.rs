use auth_runtime::requires;

#[requires(can = "read", on = "Repository::{owner}{repo}")]
async fn handler() {}

fn main() {}
