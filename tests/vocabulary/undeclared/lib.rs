use auth_runtime::requires;

#[requires(scope = "repo:raed", role = "root", permission = "publsh")]
pub async fn misspelt() {}

#[requires(network = "ofice", hide_as = 404, hide_unless = scope("repo:write2"))]
pub async fn elsewhere() {}

#[requires(any(policy = "staf", role = "admin"))]
pub async fn policies() {}

#[requires(scope = "admin", role = "repo:read", network = "vault")]
pub async fn of_another_kind() {}

#[requires(any(setting = "open_regstry", scope = "repo:read"), setting = "debug")]
pub async fn settings() {}

#[requires(setting = "admin", role = "beta")]
pub async fn settings_and_roles() {}

#[auth_runtime::requires(scope = "nope", hide_as = 404)]
pub mod told_once {
    #[auth_runtime::requires(role = "admin", hide_unless = role("editor"))]
    pub async fn inside() {}
}
