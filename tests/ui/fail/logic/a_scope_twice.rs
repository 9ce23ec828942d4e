use auth_runtime::requires;

#[requires(scope = "a", scope = "a")]
async fn handler() {}

fn main() {}
