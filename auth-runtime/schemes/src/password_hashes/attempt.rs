//! A login that a client attempts.

use auth_runtime_core::Client;

use crate::password::Password;

/// A name and a password from a client.
pub(super) struct Attempt {
    pub(super) client: Client,
    pub(super) user: String,
    pub(super) password: Password,
}
