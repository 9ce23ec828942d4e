use auth_runtime::requires;

#[requires(any(scope = "a"))]
async fn handler() {}

fn main() {}
