use auth_runtime::requires;

#[requires(any())]
async fn handler() {}

fn main() {}
