//! The messages of the grammar, its files and its limits. These tests take seconds, and also judge the mutants of
//! this package.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod attributes;
mod finding;
mod limits;
mod lowering;
mod messages;
mod mistakes;
mod names;
mod schemas;
