#![allow(unused)]

use auth_runtime::{public, requires};

#[requires(scope = "a")]
#[public(reason = "logo")]
async fn handler() {}

fn main() {}
