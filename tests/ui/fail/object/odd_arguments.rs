use auth_runtime::requires;

#[requires(can("read", "Repository::{repo}"))]
async fn without_a_key() {}

#[requires(can("read", on = "Repository::{repo}", on = "Owner::{owner}"))]
async fn twice() {}

#[requires(can("read", on = "Repository::{repo}", scope = "repo"))]
async fn another_key() {}

#[requires(can(on = "Repository::{repo}", "read"))]
async fn another_order() {}

#[requires(can("read", on = "Repository::{repo}",,))]
async fn two_commas() {}

fn main() {}
