use auth_runtime::requires;

#[requires(scopes = "admin")]
async fn handler() {}

fn main() {}
