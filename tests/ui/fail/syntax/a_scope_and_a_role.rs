use auth_runtime::requires;

#[requires(scope = "a" && role = "b")]
async fn handler() {}

fn main() {}
