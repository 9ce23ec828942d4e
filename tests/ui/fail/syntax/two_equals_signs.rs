use auth_runtime::requires;

#[requires(scope == "admin")]
async fn handler() {}

fn main() {}
