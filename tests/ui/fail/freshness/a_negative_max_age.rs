use auth_runtime::requires;

#[requires(max_age = -1)]
async fn handler() {}

fn main() {}
