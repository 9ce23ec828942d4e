use auth_runtime::requires;

#[requires(role = "")]
async fn handler() {}

fn main() {}
