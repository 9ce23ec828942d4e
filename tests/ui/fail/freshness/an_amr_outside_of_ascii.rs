use auth_runtime::requires;

#[requires(amr = "schlüssel")]
async fn handler() {}

fn main() {}
