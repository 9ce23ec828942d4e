use auth_runtime::requires;

#[requires(scope = "a", hide_as = 401)]
async fn handler() {}

fn main() {}
