use auth_runtime::requires;

#[requires(can("read", on = "Report", resource = "of_query"))]
async fn handler() {}

fn main() {}
