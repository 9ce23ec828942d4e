use auth_runtime::requires;

#[requires(scope = 5)]
async fn handler() {}

fn main() {}
