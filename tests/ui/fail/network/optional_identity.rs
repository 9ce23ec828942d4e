use auth_runtime::{Guard, requires};

#[requires(any(network = "10.0.0.0/8", scope = "metrics"))]
async fn metrics(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

fn main() {}
