//! The model through its public API. `cargo test -p auth-runtime-policy` builds these tests in a second, so they
//! also judge the mutants of this package.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod callers;
mod comparisons;
mod declarations;
mod entailments;
mod minimal_sets;
mod names;
mod networks;
mod objects;
mod policies;
mod requirements;
mod settings;
mod texts;
mod truths;
