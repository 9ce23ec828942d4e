use auth_runtime::requires;

#[requires(acr = "mfa", acr = "hardware")]
async fn handler() {}

fn main() {}
