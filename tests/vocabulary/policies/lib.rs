use auth_runtime::requires;

#[requires(any(policy = "hidden", role = "admin"))]
pub async fn a_policy_with_a_display_in_a_list() {}

#[requires(policy = "staff", role = "admin")]
pub async fn adds_nothing() {}

#[requires(policy("staff"))]
pub async fn called() {}
