use auth_runtime::requires;

#[requires(max_age = "2w")]
async fn handler() {}

fn main() {}
