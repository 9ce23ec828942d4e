use auth_runtime::public;

#[public(reason = "  ")]
async fn handler() {}

fn main() {}
