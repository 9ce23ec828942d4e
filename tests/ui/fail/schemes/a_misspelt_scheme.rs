use auth_runtime::requires;

#[requires(authenticated, schemes(Bearr))]
async fn handler() {}

fn main() {}
