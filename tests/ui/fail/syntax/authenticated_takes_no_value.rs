use auth_runtime::requires;

#[requires(authenticated = true)]
async fn handler() {}

fn main() {}
