use auth_runtime::requires;

#[requires(network = "10.0.0.0/33")]
async fn handler() {}

fn main() {}
