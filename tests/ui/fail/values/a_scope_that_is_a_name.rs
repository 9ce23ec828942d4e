use auth_runtime::requires;

#[requires(scope = ADMIN)]
async fn handler() {}

fn main() {}
