use auth_runtime::requires;

#[requires(any(scope = "repo:read", scope = "repo:admin"))]
pub async fn a_dead_alternative() {}

#[requires(scope = "repo:write", scope = "repo:read")]
pub async fn a_redundant_conjunct() {}

#[requires(scope = "repo:read", hide_as = 404, hide_unless = scope("repo:write"))]
pub async fn nobody_is_left_to_be_shown_a_denial() {}
