#![allow(unused)]

use auth_runtime::requires;

struct Service;

impl Service {
    #[requires(scope = "a")]
    async fn handler(&self) {}
}

fn main() {}
