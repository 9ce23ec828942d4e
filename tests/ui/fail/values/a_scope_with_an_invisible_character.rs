use auth_runtime::requires;

#[requires(scope = "users:\u{202E}read")]
async fn list() {}

fn main() {}
