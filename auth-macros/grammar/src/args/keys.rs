//! The keys of the arguments.

/// The keys of requirements.
pub const REQUIREMENTS: [&str; 15] = [
    "authenticated",
    "sender_constrained",
    "scope",
    "role",
    "permission",
    "acr",
    "amr",
    "max_age",
    "network",
    "setting",
    "check",
    "can",
    "policy",
    "any",
    "all",
];
/// The keys that are at the top level only: the object, the disclosure settings, and the reason for replacing a
/// module's policy.
pub const TOP_LEVEL: [&str; 8] = [
    "on",
    "resource",
    "hide_as",
    "hide_unless",
    "schemes",
    "realm",
    "says",
    "loosen",
];

/// The position of a requirement.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// In the attribute itself.
    Top,
    /// In a list.
    Listed,
    /// In `hide_unless`, at any depth.
    Lesser,
}

impl Place {
    /// Returns the keys that are valid here.
    pub(super) fn keys(self) -> Vec<&'static str> {
        let others = TOP_LEVEL.iter().filter(|_| self == Self::Top);
        REQUIREMENTS.iter().chain(others).copied().collect()
    }
}

/// The expected syntax at the beginning and after each comma of a list.
pub(super) const A_REQUIREMENT: &str = "a key, such as `scope` in `scope = \"...\"`";
pub(super) const A_LESSER_REQUIREMENT: &str = "a requirement, such as `scope(\"...\")`";
