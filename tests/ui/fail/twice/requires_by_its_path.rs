#![allow(unused)]

use auth_runtime::requires;

#[requires(scope = "a")]
#[auth_runtime::requires(scope = "b")]
async fn handler() {}

fn main() {}
