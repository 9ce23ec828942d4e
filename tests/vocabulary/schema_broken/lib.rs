use auth_runtime::requires;

#[requires(authenticated)]
pub async fn handler() {}
