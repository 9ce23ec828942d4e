use auth_runtime::requires;

#[requires(authenticated, schemes(5))]
async fn handler() {}

fn main() {}
