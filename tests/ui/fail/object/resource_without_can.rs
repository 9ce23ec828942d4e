use auth_runtime::requires;

#[requires(authenticated, on = "Report", resource = of_query)]
async fn handler() {}

fn main() {}
