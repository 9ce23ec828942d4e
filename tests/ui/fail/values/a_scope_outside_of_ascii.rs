use auth_runtime::requires;

#[requires(scope = "léser")]
async fn handler() {}

fn main() {}
