//! The errors of building users.

use std::fmt;

/// An error of building [`PasswordHashes`](crate::PasswordHashes).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordHashesError {
    /// There is no user.
    NoUser,
    /// This user was added twice.
    UserTwice(String),
    /// The hash of this user is not a PHC string of an Argon2 hash.
    NoArgon2(String),
    /// Users are looked up, and there is no stand-in for unknown ones.
    NoStandIn,
    /// A stand-in is not a PHC string of an Argon2 hash.
    InvalidStandIn,
    /// The system has no random bytes for the key of cached logins.
    NoRandomness,
}

impl fmt::Display for PasswordHashesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUser => f.write_str(
                "no user was added; add one with `.user(…)`, or look users up with \
                 `PasswordHashes::look_up(…)`",
            ),
            Self::UserTwice(name) => write!(f, "the user {name:?} was added twice"),
            Self::NoArgon2(name) => write!(
                f,
                "the hash of the user {name:?} is not of the form `$argon2id$v=19$m=…,t=…,p=…$…$…`",
            ),
            Self::NoStandIn => f.write_str(
                "users are looked up, and unknown ones have no hash to compare with; add one with \
                 `.stand_in(…)`",
            ),
            Self::InvalidStandIn => f.write_str(
                "a stand-in is not of the form `$argon2id$v=19$m=…,t=…,p=…$…$…`; for hashes of \
                 another kind, add `.verified_by(…)`",
            ),
            Self::NoRandomness => f.write_str("the system has no random bytes"),
        }
    }
}

impl std::error::Error for PasswordHashesError {}
