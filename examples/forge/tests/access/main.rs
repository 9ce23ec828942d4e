//! Who may do what on the forge, asked by real requests with real credentials.

// Tests fail by panicking.
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod denied;
mod hidden;
mod let_in;
mod links_and_tokens;
mod world;

use auth_runtime::assert_access_lock;

/// A change of who may call what shows as a change of `access.lock`.
#[test]
fn who_may_call_what_is_reviewed() {
    assert_access_lock!(auth_forge::routes());
}
