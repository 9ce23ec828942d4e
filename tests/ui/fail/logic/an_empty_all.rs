use auth_runtime::requires;

#[requires(scope = "a", all())]
async fn handler() {}

fn main() {}
