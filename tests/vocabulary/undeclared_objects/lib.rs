use auth_runtime::requires;

#[requires(can = "raed", on = "Repository::{owner}/{repo}")]
pub async fn action() {}

#[requires(can = "read", on = "Repo::{owner}/{repo}", hide_as = 404, hide_unless = can("list"))]
pub async fn resource() {}

#[requires(can = "close", on = "Repository::{owner}/{repo}")]
pub async fn of_another_type() {}

#[requires(can = "update")]
pub async fn of_the_service() {}

#[requires(can = "restart", on = "App::Issue::{issue}")]
pub async fn of_an_issue() {}

#[requires(scope = "read")]
pub async fn of_another_kind() {}

#[requires(policy = "reader")]
pub async fn policy_about_the_service() {}
