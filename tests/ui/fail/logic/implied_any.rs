use auth_runtime::requires;

#[requires(scope = "x", any(scope = "x", role = "y"))]
async fn handler() {}

fn main() {}
