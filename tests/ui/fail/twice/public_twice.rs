#![allow(unused)]

use auth_runtime::public;

#[public(reason = "a")]
#[public(reason = "b")]
async fn handler() {}

fn main() {}
