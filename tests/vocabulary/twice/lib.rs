use auth_runtime::{Vocabulary, requires, vocabulary};

#[requires(scope = "read")]
pub async fn one() {}

#[requires(scope = "nowhere")]
pub async fn other() {}

pub const VOCABULARY: Vocabulary = vocabulary!();
