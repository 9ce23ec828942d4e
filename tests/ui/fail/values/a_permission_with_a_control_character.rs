use auth_runtime::requires;

#[requires(permission = "a\nb")]
async fn handler() {}

fn main() {}
