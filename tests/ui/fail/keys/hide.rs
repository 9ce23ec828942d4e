use auth_runtime::requires;

#[requires(scope = "users", hide = 404)]
async fn list() {}

fn main() {}
