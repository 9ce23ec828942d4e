use auth_runtime::requires;

#[requires(any(rolle = "a", scope = "b"))]
async fn handler() {}

fn main() {}
