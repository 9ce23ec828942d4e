use auth_runtime::requires;

#[requires(authenticated, schemes(Basic Bearer))]
async fn handler() {}

fn main() {}
