use auth_runtime::requires;

#[requires(hide_as = 404 role = "admin")]
async fn hidden() {}

#[requires(crate = auth_runtime role = "admin")]
async fn renamed() {}

fn main() {}
