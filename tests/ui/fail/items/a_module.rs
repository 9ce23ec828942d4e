#![allow(unused)]

use auth_runtime::requires;

#[requires(scope = "a")]
mod admin {}

fn main() {}
