use auth_runtime::requires;

#[requires(check = |request| true)]
async fn handler() {}

fn main() {}
