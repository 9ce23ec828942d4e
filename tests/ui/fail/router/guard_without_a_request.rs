#![allow(unused)]

use auth_runtime::{Guard, public};

#[public(reason = "a test")]
async fn open(guard: Guard) {}

fn main() {
    let guard: Guard<policy_of_open> = Guard::default();
    let _ = open(guard.clone());
    let _ = open(().into());
    let _ = open(Guard::prove(todo!()).unwrap());
}
