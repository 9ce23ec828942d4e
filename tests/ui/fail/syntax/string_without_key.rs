use auth_runtime::requires;

#[requires("admin")]
async fn handler() {}

fn main() {}
