use auth_runtime::requires;

#[requires(user = "ann", any(authenticated = "bob", role = "clerk"))]
async fn handler() {}

fn main() {}
