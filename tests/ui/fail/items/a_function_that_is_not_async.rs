#![allow(unused)]

use auth_runtime::requires;

#[requires(scope = "a")]
fn handler() {}

fn main() {}
