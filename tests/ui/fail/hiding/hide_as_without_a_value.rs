use auth_runtime::requires;

#[requires(scope = "a", hide_as)]
async fn handler() {}

fn main() {}
