use auth_runtime::requires;

#[requires(authenticated, resource = of_query)]
async fn handler() {}

fn main() {}
