use auth_runtime::requires;

#[requires(scope = "a", hide_as = 404, hide_as = 404)]
async fn handler() {}

fn main() {}
