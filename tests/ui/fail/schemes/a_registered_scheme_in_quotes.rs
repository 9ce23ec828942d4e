use auth_runtime::requires;

#[requires(authenticated, schemes("Bearer"))]
async fn handler() {}

fn main() {}
