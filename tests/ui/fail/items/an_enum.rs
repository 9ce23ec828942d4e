#![allow(unused)]

use auth_runtime::requires;

#[requires(scope = "a")]
enum Files {}

fn main() {}
