use auth_runtime::requires;

#[requires(acr = "")]
async fn handler() {}

fn main() {}
