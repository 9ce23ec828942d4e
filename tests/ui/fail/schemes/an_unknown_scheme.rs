use auth_runtime::requires;

#[requires(authenticated, schemes(Cookie))]
async fn handler() {}

fn main() {}
