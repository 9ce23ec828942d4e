use auth_runtime::requires;

#[requires(can = "read", on = "Repository::{repo}")]
pub async fn read() {}

#[requires(can = "read", on = "Repositry::{repo}")]
pub async fn misspelt() {}
