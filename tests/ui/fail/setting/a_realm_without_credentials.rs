use auth_runtime::requires;

#[requires(any(setting = "beta", network = "10.0.0.0/8"), realm = "internal")]
async fn handler() {}

fn main() {}
