use auth_runtime::requires;

#[requires(authentcated)]
async fn handler() {}

fn main() {}
