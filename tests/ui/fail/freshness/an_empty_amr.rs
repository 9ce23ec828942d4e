use auth_runtime::requires;

#[requires(amr = "")]
async fn handler() {}

fn main() {}
