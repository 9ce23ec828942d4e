use auth_runtime::requires;

#[requires(max_age = "5m", max_age = "1h")]
async fn handler() {}

fn main() {}
