use auth_runtime::requires;

#[requires(acr = "mfa hardware")]
async fn handler() {}

fn main() {}
