use auth_runtime::requires;

#[requires(role = "a", !role = "b")]
async fn handler() {}

fn main() {}
