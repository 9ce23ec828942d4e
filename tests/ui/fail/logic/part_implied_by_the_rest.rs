use auth_runtime::requires;

#[requires(any(scope = "a", role = "r"), any(scope = "a", role = "s"), any(role = "r", scope = "b", all(role = "s", scope = "a")))]
async fn handler() {}

fn main() {}
