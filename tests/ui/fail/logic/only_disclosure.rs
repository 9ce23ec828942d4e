use auth_runtime::requires;

#[requires(hide_as = 404)]
async fn handler() {}

fn main() {}
