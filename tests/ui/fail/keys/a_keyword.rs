use auth_runtime::requires;

#[requires(type = "admin")]
async fn first() {}

#[requires(true)]
async fn second() {}

fn main() {}
