use auth_runtime::requires;

#[requires(scope = "a", hide_as = 404, hide_unless = any(role = "b"))]
async fn handler() {}

fn main() {}
