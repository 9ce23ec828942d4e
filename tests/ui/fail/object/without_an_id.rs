use auth_runtime::requires;

#[requires(can = "read", on = "Repository")]
async fn handler() {}

fn main() {}
