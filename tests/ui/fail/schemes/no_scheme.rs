use auth_runtime::requires;

#[requires(authenticated, schemes())]
async fn handler() {}

fn main() {}
