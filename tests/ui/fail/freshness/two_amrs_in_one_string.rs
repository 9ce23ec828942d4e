use auth_runtime::requires;

#[requires(amr = "pwd otp")]
async fn handler() {}

fn main() {}
