//! A service like a code host: users, organizations, teams and repositories.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod against_oracle;
mod batches;
mod ids;
mod lists;
mod service;
mod world;
