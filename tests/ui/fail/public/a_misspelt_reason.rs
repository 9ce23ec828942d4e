use auth_runtime::public;

#[public(reson = "logo")]
async fn handler() {}

fn main() {}
