use auth_runtime::requires;

#[requires(network = "office", network = "lab")]
pub async fn nowhere() {}

#[requires(any(network = "office", network = "192.0.2.128/25"))]
pub async fn within() {}

#[requires(policy = "staff", network = "lab")]
pub async fn staff_elsewhere() {}
