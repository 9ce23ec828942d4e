#![allow(unused)]

use auth_runtime::requires;

#[requires(scope = "a")]
struct Files {}

fn main() {}
