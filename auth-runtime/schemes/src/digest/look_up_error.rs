//! The error of a look-up.

use std::fmt;

/// The error of a look-up that could not determine the user. The look-up logs the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestLookUpError;

impl fmt::Display for DigestLookUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the user cannot be looked up")
    }
}

impl std::error::Error for DigestLookUpError {}
