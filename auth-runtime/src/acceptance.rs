//! Whether whoever runs the tests accepts what changed.

use std::env::var_os;

/// What the environment says of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    /// Nothing: a change is a failure.
    Refused,
    /// The file is written anew.
    Given,
    /// That it is accepted, but where nobody would look at it.
    OnNobodysMachine,
}

impl Acceptance {
    pub(crate) fn by(variable: &str) -> Self {
        if var_os(variable).is_none_or(|value| value != "overwrite") {
            return Self::Refused;
        }
        // As all services for continuous integration set it.
        let denials = ["", "0", "false"];
        let is_ci = var_os("CI").is_some_and(|value| denials.iter().all(|denial| value != *denial));
        match is_ci {
            true => Self::OnNobodysMachine,
            false => Self::Given,
        }
    }
}
