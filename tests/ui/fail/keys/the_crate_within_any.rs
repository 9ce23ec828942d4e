use auth_runtime::requires;

#[requires(any(crate = auth_runtime, scope = "users", role = "admin"))]
async fn list() {}

fn main() {}
