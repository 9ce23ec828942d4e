use auth_runtime::requires;

#[requires(max_age = "40000d")]
async fn handler() {}

fn main() {}
