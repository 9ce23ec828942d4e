use auth_runtime::requires;

#[requires(authenticated, sender_constrained)]
async fn handler() {}

fn main() {}
