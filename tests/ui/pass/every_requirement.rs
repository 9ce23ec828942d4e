use auth_runtime::requires;

#[requires(authenticated)]
async fn known() {}

#[requires(scope = "repo:read", role = "editor", permission = "publish",)]
async fn all_of_three() {}

#[requires(any(scope = "a", all(role = "b", any(permission = "c", scope = "d"))))]
async fn nested() {}

#[requires(scope = "!#[]~$&", hide_as = 404)]
async fn odd_characters() {}

#[requires(scope = "write", hide_as = 404, hide_unless = scope("read"))]
async fn half_hidden() {}

#[requires(all(role = "a", role = "b"), hide_unless = any(role = "a", role = "c"), hide_as = 404)]
async fn in_any_order() {}

fn main() {}
