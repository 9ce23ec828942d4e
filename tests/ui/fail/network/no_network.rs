use auth_runtime::requires;

#[requires(network = "office")]
async fn handler() {}

fn main() {}
