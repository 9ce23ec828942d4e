use auth_runtime::requires;

#[requires(max_age = 900)]
async fn handler() {}

fn main() {}
