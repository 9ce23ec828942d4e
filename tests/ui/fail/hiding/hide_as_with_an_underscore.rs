use auth_runtime::requires;

#[requires(scope = "users", hide_as = 4_04)]
async fn list() {}

fn main() {}
