use auth_runtime::requires;

#[requires(max_age = "a while")]
async fn handler() {}

fn main() {}
