use auth_runtime::requires;

#[requires(max_age("15m"))]
async fn handler() {}

fn main() {}
