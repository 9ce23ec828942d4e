//! The grammar and its checks on random policies, compared with oracles that are independent of the
//! implementation.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod comparison;
mod expression;
mod logic;
mod printing;
