use auth_runtime::public;

#[public(why = "logo")]
async fn handler() {}

fn main() {}
