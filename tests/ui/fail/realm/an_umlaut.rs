use auth_runtime::requires;

#[requires(authenticated, realm = "Übung")]
async fn handler() {}

fn main() {}
