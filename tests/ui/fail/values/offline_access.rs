use auth_runtime::requires;

#[requires(scope = "offline_access")]
async fn handler() {}

fn main() {}
