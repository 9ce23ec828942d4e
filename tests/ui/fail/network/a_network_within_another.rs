use auth_runtime::requires;

#[requires(network = "10.0.0.0/8", network = "10.1.0.0/16")]
async fn handler() {}

fn main() {}
