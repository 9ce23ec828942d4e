#![allow(unused)]

use auth_runtime::requires;

#[requires(scop = "a")]
fn handler() {}

fn main() {}
