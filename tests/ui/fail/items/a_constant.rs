#![allow(unused)]

use auth_runtime::requires;

#[requires(scope = "a")]
const HANDLER: u8 = 1;

fn main() {}
