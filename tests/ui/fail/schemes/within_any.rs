use auth_runtime::requires;

#[requires(any(scope = "a", schemes(Basic)))]
async fn handler() {}

fn main() {}
