use auth_runtime::public;

#[public]
async fn handler() {}

fn main() {}
