use auth_runtime::requires;

#[requires(, scope = "a")]
async fn handler() {}

fn main() {}
