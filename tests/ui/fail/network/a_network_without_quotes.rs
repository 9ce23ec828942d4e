use auth_runtime::requires;

#[requires(network = 192.168.0.0/16)]
async fn handler() {}

fn main() {}
