use auth_runtime::public;

#[public(scope = "a")]
async fn handler() {}

fn main() {}
