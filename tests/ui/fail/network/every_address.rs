use auth_runtime::requires;

#[requires(network = "0.0.0.0/0")]
async fn handler() {}

fn main() {}
