use auth_runtime::requires;

#[requires(authenticated, realm = "a\r\nb")]
async fn handler() {}

fn main() {}
