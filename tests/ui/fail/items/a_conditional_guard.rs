//! A build without the guard would have no policy.

use auth_runtime::{Guard, requires};

#[requires(role = "admin")]
async fn reports(#[cfg(debug_assertions)] guard: Guard) {}

fn main() {}
