use auth_runtime::requires;

#[requires(scope = "a\tb")]
async fn handler() {}

fn main() {}
