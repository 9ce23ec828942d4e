use auth_runtime::requires;

#[requires()]
async fn handler() {}

fn main() {}
