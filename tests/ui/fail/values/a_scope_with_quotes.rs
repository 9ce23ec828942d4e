use auth_runtime::requires;

#[requires(scope = "the\"admin\"")]
async fn handler() {}

fn main() {}
