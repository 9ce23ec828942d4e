#![allow(unused)]

use auth_runtime::requires;

#[requires(scope = "a")]
impl Service {}

struct Service;

fn main() {}
