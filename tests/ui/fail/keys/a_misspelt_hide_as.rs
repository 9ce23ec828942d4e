use auth_runtime::requires;

#[requires(scope = "a", hide_ass = 404)]
async fn handler() {}

fn main() {}
