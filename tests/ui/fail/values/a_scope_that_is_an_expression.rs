use auth_runtime::requires;

#[requires(scope = concat!("a", "b"))]
async fn handler() {}

fn main() {}
