use auth_runtime::requires;

#[requires(sender_constrained, schemes(Basic))]
async fn handler() {}

fn main() {}
