use auth_runtime::public;

#[public("logo")]
async fn handler() {}

fn main() {}
