use auth_runtime::requires;

#[requires(role = "admin ")]
async fn handler() {}

fn main() {}
