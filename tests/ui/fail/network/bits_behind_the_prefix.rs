use auth_runtime::requires;

#[requires(network = "10.0.0.1/8")]
async fn handler() {}

fn main() {}
