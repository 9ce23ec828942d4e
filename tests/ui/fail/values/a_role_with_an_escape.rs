use auth_runtime::requires;

#[requires(role = "\x61dmin")]
async fn reports() {}

fn main() {}
