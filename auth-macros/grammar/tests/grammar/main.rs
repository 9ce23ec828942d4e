//! The messages of the grammar, its files and its limits. These tests take seconds, and also judge the mutants of
//! this package.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod advice;
mod attributes;
mod contradictions;
mod declared;
mod finding;
mod inherited;
mod keys;
mod limits;
mod lowering;
mod messages;
mod mistakes;
mod named_policies;
mod names;
mod schemas;

use std::sync::Arc;

use auth_grammar::vocabulary::{self, LoadedVocabulary};

/// Returns the vocabulary of this `auth.toml`, which has no mistake.
fn loaded(text: &str) -> LoadedVocabulary {
    let (vocabulary, mistakes) = vocabulary::read(text);
    assert_eq!(mistakes, []);
    LoadedVocabulary {
        path: "auth.toml".into(),
        shown: "auth.toml".to_owned(),
        schema: None,
        vocabulary: Some(Arc::new(vocabulary)),
        mistakes: Vec::new(),
    }
}
