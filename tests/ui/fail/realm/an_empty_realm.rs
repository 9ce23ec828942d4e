use auth_runtime::requires;

#[requires(authenticated, realm = "")]
async fn handler() {}

fn main() {}
