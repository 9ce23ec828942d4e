#![allow(unused)]

use auth_runtime::{Guard, requires};

#[requires(scope = "a")]
async fn handler(body: String, guard: Guard) {}

fn main() {}
