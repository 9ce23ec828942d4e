use auth_runtime::requires;

#[requires(scope = b"admin")]
async fn handler() {}

fn main() {}
