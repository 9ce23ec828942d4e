use auth_runtime::requires;

#[requires(scope = "repo:raed", role = "root", permission = "publsh")]
pub async fn misspelt() {}

#[requires(network = "ofice", hide_as = 404, hide_unless = scope("repo:write2"))]
pub async fn elsewhere() {}

#[requires(any(policy = "staf", role = "admin"))]
pub async fn policies() {}
