use auth_runtime::requires;

#[requires(any(scope = "x", all(scope = "x", role = "y")))]
async fn handler() {}

fn main() {}
