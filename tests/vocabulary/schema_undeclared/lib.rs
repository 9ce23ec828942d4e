use auth_runtime::requires;

#[requires(can = "raed", on = "App::Repository::{repo}")]
pub async fn action() {}

#[requires(can = "delete", on = "App::Repository::{repo}")]
pub async fn another_action() {}

#[requires(can = "read", on = "Repository::{repo}")]
pub async fn without_the_namespace() {}

#[requires(can = "close", on = "App::Repository::{repo}")]
pub async fn of_another_type() {}

#[requires(can = "all", on = "App::Repository::{repo}")]
pub async fn group() {}

#[requires(can = "update")]
pub async fn of_the_service() {}
