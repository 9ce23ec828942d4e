use auth_runtime::requires;

#[requires(scope = "a", hide_as = 500)]
async fn handler() {}

fn main() {}
