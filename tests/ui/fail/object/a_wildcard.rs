use auth_runtime::requires;

#[requires(can = "read", on = "File::{*path}")]
async fn handler() {}

fn main() {}
