use auth_runtime::{requires, vocabulary};
use auth_runtime::policy::Vocabulary;

#[requires(scope = "whatever", role = "anything", setting = "any_name")]
pub async fn every_name_will_do() {}

#[requires(policy = "staff")]
pub async fn a_policy() {}

#[requires(network = "office")]
pub async fn a_network() {}

pub const VOCABULARY: Vocabulary = vocabulary!();
