#![allow(unused)]

use auth_runtime::{Guard, requires};

#[requires(scope = "a")]
async fn handler(guard: Guard, mut other: Guard) {}

fn main() {}
