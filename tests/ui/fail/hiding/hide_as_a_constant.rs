use auth_runtime::requires;

#[requires(scope = "a", hide_as = StatusCode::NOT_FOUND)]
async fn handler() {}

fn main() {}
