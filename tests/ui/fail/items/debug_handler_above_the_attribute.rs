#[axum::debug_handler]
#[auth_runtime::requires(scope = "users")]
async fn list() {}

fn main() {}
