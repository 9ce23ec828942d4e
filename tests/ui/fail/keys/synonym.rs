use auth_runtime::requires;

#[requires(any(group = "staff", not(role = "guest")))]
async fn handler() {}

fn main() {}
