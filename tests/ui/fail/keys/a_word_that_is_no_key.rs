use auth_runtime::requires;

#[requires(group = "staff")]
async fn handler() {}

fn main() {}
