use auth_runtime::requires;

#[requires(all(any(scope = "a"), role = "b"))]
async fn handler() {}

fn main() {}
