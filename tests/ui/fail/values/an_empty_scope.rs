use auth_runtime::requires;

#[requires(scope = "")]
async fn handler() {}

fn main() {}
