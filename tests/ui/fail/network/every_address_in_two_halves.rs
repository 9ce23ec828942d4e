use auth_runtime::requires;

#[requires(any(network = "0.0.0.0/1", network = "128.0.0.0/1", network = "::/0"))]
async fn handler() {}

fn main() {}
