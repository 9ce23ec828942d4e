use auth_runtime::requires;

#[requires(authenticated, realm = "api scope=evil")]
async fn handler() {}

fn main() {}
