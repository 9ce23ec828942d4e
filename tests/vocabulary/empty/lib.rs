use auth_runtime::requires;

#[requires(scope = "read")]
pub async fn strict() {}

#[requires(authenticated, acr = "mfa", network = "10.0.0.0/8")]
pub async fn without_names() {}
