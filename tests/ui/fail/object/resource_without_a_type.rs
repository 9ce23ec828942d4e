use auth_runtime::requires;

#[requires(can = "read", resource = reports::of_query)]
async fn handler() {}

fn main() {}
