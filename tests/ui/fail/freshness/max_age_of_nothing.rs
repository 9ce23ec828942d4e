use auth_runtime::requires;

#[requires(max_age = "0s")]
async fn handler() {}

fn main() {}
