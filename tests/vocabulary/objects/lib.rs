#![forbid(dead_code)]

use auth_runtime::objects::Action;
use auth_runtime::policy::Vocabulary;
use auth_runtime::{Denied, Guard, requires, vocabulary};

auth_runtime::actions!();

pub const VOCABULARY: Vocabulary = vocabulary!();
const _: () = assert!(VOCABULARY.actions().len() == 4 && VOCABULARY.resources().len() == 2);
pub const CLOSE: Action = actions::CLOSE;

#[requires(can = "update", on = "Repository::{owner}/{repo}", hide_as = 404, hide_unless = can("read"))]
pub async fn right() {}

#[requires(policy = "reader", on = "Repository::{owner}/{repo}")]
pub async fn by_policy() {}

#[requires(policy = "writer")]
pub async fn with_object() {}

#[requires(can = "restart")]
pub async fn service() {}

#[requires(authenticated, on = "App::Issue::{issue}")]
pub mod issues {
    #[auth_runtime::requires(can = "close")]
    pub async fn close() {}
}

#[requires(authenticated)]
pub async fn in_handler(guard: Guard) -> Result<(), Denied> {
    let issue = auth_runtime::objects::Resource::new("App::Issue", "1");
    guard.can(actions::UPDATE, issue).await
}
