use auth_runtime::requires;

#[requires(scope = "a", hide_as = 200)]
async fn handler() {}

fn main() {}
