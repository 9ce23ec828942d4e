use auth_runtime::requires;

#[requires(scope = "a", any(role = "r", all(scope = "a", role = "s"), role = "t"))]
async fn handler() {}

fn main() {}
