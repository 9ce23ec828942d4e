use auth_runtime::objects::Action;
use auth_runtime::policy::Vocabulary;
use auth_runtime::{requires, vocabulary};

mod auth {
    pub use auth_runtime::__private1;
}

auth_runtime::actions!(crate = self::auth);

pub const VOCABULARY: Vocabulary = vocabulary!();
const _: () = assert!(VOCABULARY.actions().len() == 6 && VOCABULARY.resources().len() == 5);
pub const LIST: Action = actions::LIST_EVERYTHING;

#[requires(can = "update", on = "App::Repository::{owner}/{repo}", hide_as = 404, hide_unless = can("read"))]
pub async fn right() {}

#[requires(can = "close", on = "App::Issue::{issue}")]
pub async fn close() {}

#[requires(can = "fetch", on = "Upload::{file}")]
pub async fn of_another_engine() {}

#[requires(can = "restart")]
pub async fn service() {}

#[requires(policy = "writer")]
pub async fn by_policy() {}
