use auth_runtime::requires;

#[requires(authenticated, schemes("my scheme"))]
async fn handler() {}

fn main() {}
