use auth_runtime::requires;

#[requires(role = "a", hide_as = 404, hide_unless = any(role = "a", scope = "b"))]
async fn handler() {}

fn main() {}
