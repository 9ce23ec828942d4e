#![allow(unused)]

use auth_runtime::{Guard, requires};

#[requires(scope = "admin")]
async fn dashboard(guard: Guard) {}

fn main() {
    let guard = Guard::<dashboard> {};
    let _ = dashboard(guard);
}
