use auth_runtime::public;

#[public(reason = because)]
async fn handler() {}

fn main() {}
