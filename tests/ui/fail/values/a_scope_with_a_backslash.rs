use auth_runtime::requires;

#[requires(scope = "ad\\min")]
async fn handler() {}

fn main() {}
