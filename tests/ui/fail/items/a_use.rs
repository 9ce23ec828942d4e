#![allow(unused)]

use auth_runtime::requires;

#[requires(scope = "a")]
use std::fmt as handlers;

fn main() {}
