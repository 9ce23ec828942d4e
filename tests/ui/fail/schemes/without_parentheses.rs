use auth_runtime::requires;

#[requires(authenticated, schemes = Basic)]
async fn handler() {}

fn main() {}
