use auth_runtime::requires;

#[requires(can = "read", on = "Report", resource = of_query, resource = of_path)]
async fn handler() {}

fn main() {}
