use auth_runtime::requires;

#[requires(authenticated, realm = "a", realm = "b")]
async fn handler() {}

fn main() {}
