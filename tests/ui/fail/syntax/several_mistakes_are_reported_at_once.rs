use auth_runtime::requires;

#[requires(scop = "a", role = 5, any(), hide_as = 403, scope = "a b")]
async fn handler() {}

fn main() {}
