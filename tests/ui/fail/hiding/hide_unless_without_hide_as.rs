use auth_runtime::requires;

#[requires(scope = "a", hide_unless = scope("b"))]
async fn handler() {}

fn main() {}
