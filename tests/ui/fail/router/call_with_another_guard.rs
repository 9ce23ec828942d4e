use auth_runtime::{Guard, public, requires};

#[requires(scope = "admin")]
async fn dashboard(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[public(reason = "a test")]
async fn around(guard: Guard) -> String {
    dashboard(guard).await
}

fn main() {}
