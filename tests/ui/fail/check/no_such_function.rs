use auth_runtime::requires;

#[requires(check = nowhere)]
async fn handler() {}

fn main() {}
