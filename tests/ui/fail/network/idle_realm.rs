use auth_runtime::requires;

#[requires(network = "10.0.0.0/8", realm = "office", schemes(Basic))]
async fn handler() {}

fn main() {}
