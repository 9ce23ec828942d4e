use auth_runtime::requires;

#[requires(scope = "a", hide_as = 410)]
async fn handler() {}

fn main() {}
