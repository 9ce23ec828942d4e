use auth_runtime::requires;

#[requires(acr = "m\"fa")]
async fn handler() {}

fn main() {}
