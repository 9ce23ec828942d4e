use auth_runtime::{Guard, requires};

#[requires(scope = "a")]
async fn half(guard: Guard, x: ) {}

fn main() {}
