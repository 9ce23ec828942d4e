use auth_runtime::requires;

#[requires(max_age = "15")]
async fn handler() {}

fn main() {}
