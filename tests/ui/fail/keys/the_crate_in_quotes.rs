use auth_runtime::requires;

#[requires(crate = "auth_runtime", scope = "users")]
async fn list() {}

fn main() {}
