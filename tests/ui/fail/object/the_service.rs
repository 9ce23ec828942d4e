use auth_runtime::requires;

#[requires(can = "restart", on = "Service::{name}")]
async fn handler() {}

fn main() {}
