use auth_runtime::requires;

#[requires(authenticated, scope = "x")]
async fn handler() {}

fn main() {}
