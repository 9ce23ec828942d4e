use auth_runtime::requires;

#[requires(scope = "admin"x)]
async fn handler() {}

fn main() {}
