use auth_runtime::requires;

#[requires(authenticated, schemes(Basic, Basic))]
async fn handler() {}

fn main() {}
