use auth_runtime::requires;

#[requires(scope = "a", hide_as = 404, hide_unless = scope("a"))]
async fn handler() {}

fn main() {}
