//! Access to the forge, tested by requests with credentials.

// Tests fail by panicking.
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod denied;
mod hidden;
mod kinds_of_lists;
mod let_in;
mod links_and_tokens;
mod lists;
#[path = "../support/mod.rs"]
mod support;
mod world;

use auth_runtime_audit::{assert_access_lock, assert_access_matrix};

use crate::support::Demo;

/// A changed policy shows as a change of `access.lock`.
#[test]
fn access_policies_are_reviewed() {
    assert_access_lock!(auth_forge::routes());
}

/// The responses match the policies and `access-matrix.md`.
#[tokio::test]
async fn responses_match_the_policies() {
    let demo = Demo::new().expect("the database is filled");
    let cedar = demo.forge.cedar().expect("valid policies");
    let matrix = demo.access_matrix(cedar).await;
    assert_access_matrix!(matrix.expect("every route can be asked"));
}
