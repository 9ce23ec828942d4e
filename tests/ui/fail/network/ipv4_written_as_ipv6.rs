use auth_runtime::requires;

#[requires(network = "::ffff:10.0.0.0/104")]
async fn handler() {}

fn main() {}
