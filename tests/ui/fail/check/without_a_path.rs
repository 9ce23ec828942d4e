use auth_runtime::requires;

#[requires(check =)]
async fn handler() {}

fn main() {}
