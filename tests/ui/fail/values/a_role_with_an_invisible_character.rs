use auth_runtime::requires;

#[requires(any(role = "admin", role = "a\u{200B}dmin"))]
async fn list() {}

fn main() {}
