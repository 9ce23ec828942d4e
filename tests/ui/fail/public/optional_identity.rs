//! The only value of `identity` is the word `optional`.

use auth_runtime::public;

#[public(reason = "x", identity = "optional")]
async fn quoted() {}

#[public(reason = "x", identity = required)]
async fn required() {}

#[public(reason = "x", identity)]
async fn no_value() {}

#[public(identity = optional)]
async fn no_reason() {}

#[public(reason = "x", identity = optional, identity = optional)]
async fn twice() {}

#[public(reason = "x", identiti = optional)]
async fn misspelt() {}

#[public(reason = "x", schemes(Bearer))]
async fn schemes_of_nobody() {}

#[public(reason = "x", identity = optional, schemes(Bearer), schemes(Basic))]
async fn schemes_twice() {}

fn main() {}
