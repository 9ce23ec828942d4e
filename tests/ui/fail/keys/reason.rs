use auth_runtime::requires;

#[requires(reason = "internal")]
async fn handler() {}

fn main() {}
