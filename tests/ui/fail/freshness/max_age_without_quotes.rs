use auth_runtime::requires;

#[requires(any(max_age = 8h, max_age = 2weeks, max_age = 0, max_age = 1.5))]
async fn handler() {}

fn main() {}
