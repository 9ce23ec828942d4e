#![deny(dead_code)]

use auth_runtime::requires;

#[requires(scope = "a")]
async fn unused() {}

fn main() {}
