#![allow(unused)]

use auth_runtime::{public, requires};

#[public(reason = "logo")]
#[requires(scope = "a")]
async fn handler() {}

fn main() {}
