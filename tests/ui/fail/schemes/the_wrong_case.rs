use auth_runtime::requires;

#[requires(authenticated, schemes(basic))]
async fn handler() {}

fn main() {}
