use auth_runtime::requires;

#[requires(sender_constrained = true)]
async fn handler() {}

fn main() {}
