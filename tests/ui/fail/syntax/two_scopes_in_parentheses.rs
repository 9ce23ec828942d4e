use auth_runtime::requires;

#[requires(scope("read", "write"))]
async fn handler() {}

fn main() {}
