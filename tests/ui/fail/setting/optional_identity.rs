use auth_runtime::{Guard, requires};

#[requires(any(setting = "open_registry", scope = "pull"))]
async fn handler(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

fn main() {}
