use auth_runtime::public;

#[public(reason = "logo", hide_as = 404)]
async fn handler() {}

fn main() {}
