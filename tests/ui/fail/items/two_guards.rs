#![allow(unused)]

use auth_runtime::{Guard, requires};

#[requires(scope = "a")]
async fn handler(guard: Guard, other: Guard) {}

fn main() {}
