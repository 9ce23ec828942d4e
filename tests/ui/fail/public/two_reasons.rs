use auth_runtime::public;

#[public(reason = "a", reason = "b")]
async fn handler() {}

fn main() {}
