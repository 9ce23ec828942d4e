use auth_runtime::requires;

#[requires(any(group = "staff", not(role = "guest")))]
async fn handler() {}

#[requires(admin)]
async fn admin() {}

#[requires(mfa, dpop = true)]
async fn strong() {}

fn main() {}
