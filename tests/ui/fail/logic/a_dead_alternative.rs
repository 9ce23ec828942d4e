use auth_runtime::requires;

#[requires(any(authenticated, scope = "x"))]
async fn handler() {}

fn main() {}
