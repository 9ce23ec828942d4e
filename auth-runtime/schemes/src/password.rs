//! Passwords.

use std::fmt;

use zeroize::Zeroizing;

/// A password, as the client sent it. Its `Debug` does not show it, and it is wiped from memory when
/// it is dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The password.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Takes the password of a login form.
impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(Zeroizing::new(password))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
