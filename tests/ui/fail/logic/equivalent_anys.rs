use auth_runtime::requires;

#[requires(any(role = "a", scope = "b"), any(scope = "b", role = "a"))]
async fn handler() {}

fn main() {}
