#![allow(unused)]

use auth_runtime::{Guard, public};

#[public(reason = "a test")]
async fn open(guard: Guard) {}

fn main() {
    let _: Guard<policy_of_open> = Guard::default();
    let _ = open(().into());
    let _ = open(Guard::prove(todo!()).unwrap());
}
