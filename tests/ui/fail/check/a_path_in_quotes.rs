use auth_runtime::requires;

#[requires(check = "owns_repo")]
async fn handler() {}

fn main() {}
