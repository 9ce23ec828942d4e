use auth_runtime::requires;

#[requires(network = "192.0.2.7")]
async fn handler() {}

fn main() {}
