use auth_runtime::requires;

#[requires(scope = "users", hide_as = 0x194)]
async fn list() {}

fn main() {}
