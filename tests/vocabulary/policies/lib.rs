use auth_runtime::requires;

#[requires(any(policy = "hidden", role = "admin"))]
pub async fn a_policy_with_a_display_in_a_list() {}

#[requires(policy = "staff", role = "admin")]
pub async fn adds_nothing() {}

#[requires(policy("staff"))]
pub async fn called() {}

#[requires(scope = "repo:admin", hide_as = 404, hide_unless = policy("hidden"))]
pub async fn a_policy_with_a_display_in_hide_unless() {}

#[requires(policy = "hidden", policy = "vault")]
pub async fn two_realms() {}

#[requires(policy = "hidden", policy = "half_hidden")]
pub async fn hidden_and_half_hidden() {}

#[requires(policy = "hidden", policy = "half_hidden", policy = "vault", realm = "safe", hide_as = 404)]
pub async fn the_attribute_decides() {}

#[requires(policy = "editors", role = "editor")]
pub async fn asks_for_the_same() {}

#[requires(policy = "editors", policy = "editors")]
pub async fn twice() {}

#[requires(policy = "")]
pub async fn no_name() {}

#[requires(policy = editors)]
pub async fn no_quotes() {}
