use auth_runtime::requires;

#[requires(scope = "a", hide_as = 403)]
async fn handler() {}

fn main() {}
