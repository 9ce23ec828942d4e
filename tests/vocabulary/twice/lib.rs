use auth_runtime::{requires, vocabulary};
use auth_runtime::policy::Vocabulary;

#[requires(scope = "read")]
pub async fn one() {}

#[requires(scope = "nowhere")]
pub async fn other() {}

pub const VOCABULARY: Vocabulary = vocabulary!();
