//! The requirement of one handler, and the disclosure of its denials.

use std::borrow::Cow;
use std::fmt;

use crate::requirement::{Atom, Group, Groups, Requirement, write_list};
use crate::scheme::registered_spelling;

/// The requirement of one handler and the disclosure of its denials.
///
/// `#[requires(...)]` and `#[public(...)]` construct it at compile time.
///
/// ```
/// use auth_runtime_policy::{Policy, Requirement};
///
/// const POLICY: Policy = Policy::requires(Requirement::scope("admin")).hide_as_not_found();
/// assert_eq!(POLICY.to_string(), r#"requires(scope = "admin", hide_as = 404)"#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    access: Access,
    display: Display,
    schemes: Option<&'static [&'static str]>,
    realm: Option<&'static str>,
    loosened: Option<&'static str>,
    written: Option<&'static str>,
    /// The groups of the atoms in the requirement, and of those in `hide_unless`. Computed at
    /// compile time, since every request needs them.
    groups: Groups,
    groups_of_lesser: Groups,
    /// Also computed at compile time, since every denial needs it.
    demands_bound_credentials: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Access {
    Public { reason: &'static str },
    Requires(Requirement),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Display {
    Shown,
    Hidden { unless: Option<Requirement> },
}

impl Policy {
    /// Grants callers that meet `requirement`, and discloses denials.
    pub const fn requires(requirement: Requirement) -> Self {
        Self {
            access: Access::Requires(requirement),
            display: Display::Shown,
            schemes: None,
            realm: None,
            loosened: None,
            written: None,
            groups: requirement.groups(),
            groups_of_lesser: Groups::NONE,
            demands_bound_credentials: requirement.can_be_met(true)
                && !requirement.can_be_met(false),
        }
    }

    /// Grants every caller and ignores credentials. `reason` justifies that.
    pub const fn public(reason: &'static str) -> Self {
        Self {
            access: Access::Public { reason },
            display: Display::Shown,
            schemes: None,
            realm: None,
            loosened: None,
            written: None,
            groups: Groups::NONE,
            groups_of_lesser: Groups::NONE,
            demands_bound_credentials: false,
        }
    }

    /// Responds to denied requests as to an unknown path (RFC 9110 §15.5.4).
    pub const fn hide_as_not_found(mut self) -> Self {
        self.display = Display::Hidden { unless: None };
        self
    }

    /// Conceals denials, except from callers that meet the lesser requirement.
    pub const fn hide_unless(mut self, lesser: Requirement) -> Self {
        self.display = Display::Hidden {
            unless: Some(lesser),
        };
        self.groups_of_lesser = lesser.groups();
        self
    }

    /// The same policy on a path where the policy of another method is hidden: denials are concealed
    /// as well, since they would disclose the path.
    pub const fn on_hidden_path(self) -> Self {
        match (self.access, self.display) {
            (Access::Requires(_), Display::Shown) => self.hide_as_not_found(),
            _ => self,
        }
    }

    /// Accepts only the named schemes of the space. Credentials of other schemes count as none, and
    /// their challenges are not sent.
    pub const fn schemes(mut self, names: &'static [&'static str]) -> Self {
        self.schemes = Some(names);
        self
    }

    /// The same policy with disclosed denials.
    pub const fn shown(mut self) -> Self {
        self.display = Display::Shown;
        self
    }

    /// Sets the realm in challenges, in place of the realm of the space (RFC 9110 §11.5).
    pub const fn realm(mut self, realm: &'static str) -> Self {
        self.realm = Some(realm);
        self
    }

    /// Replaces the policy of the surrounding module, for the given reason.
    pub const fn loosened(mut self, reason: &'static str) -> Self {
        self.loosened = Some(reason);
        self
    }

    /// The reason for replacing the policy of the surrounding module, if this policy replaces one.
    pub const fn loosened_reason(&self) -> Option<&'static str> {
        self.loosened
    }

    /// Sets the text of the attribute, if its names come from a vocabulary.
    pub const fn written_as(mut self, attribute: &'static str) -> Self {
        self.written = Some(attribute);
        self
    }

    /// The text of the attribute, as in `requires(policy = "staff")`. It includes the requirements
    /// of the surrounding modules, and keeps the names of the vocabulary. [`Display`](fmt::Display)
    /// expands these names.
    ///
    /// ```
    /// use auth_runtime_policy::{Policy, Requirement};
    ///
    /// // From an `auth.toml` in which `repo:write` implies `repo:read`.
    /// const READ: Requirement =
    ///     Requirement::any(&[Requirement::scope("repo:read"), Requirement::scope("repo:write")]);
    /// const POLICY: Policy =
    ///     Policy::requires(READ).written_as(r#"requires(scope = "repo:read")"#);
    /// assert_eq!(POLICY.written(), r#"requires(scope = "repo:read")"#);
    /// assert!(POLICY.to_string().contains("repo:write"));
    /// ```
    pub fn written(&self) -> Cow<'static, str> {
        match self.written {
            Some(attribute) => Cow::Borrowed(attribute),
            None => Cow::Owned(self.to_string()),
        }
    }

    /// The accepted schemes; `None` for all schemes of the space.
    pub const fn accepted_schemes(&self) -> Option<&'static [&'static str]> {
        self.schemes
    }

    /// Whether every caller that it allows is allowed by `other` as well, credentials of other schemes
    /// taken into account.
    pub fn is_within(&self, other: &Self) -> bool {
        let Some(wider) = other.requirement() else {
            return true;
        };
        let Some(requirement) = self.requirement() else {
            return false;
        };
        let keeps_schemes = match (self.schemes, other.schemes) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(names), Some(_)) => names.iter().all(|name| other.accepts(name)),
        };
        keeps_schemes && requirement.implies(wider)
    }

    /// Whether credentials of the scheme `name` are accepted, if the space accepts them.
    pub fn accepts(&self, name: &str) -> bool {
        self.schemes
            .is_none_or(|names| names.iter().any(|own| own.eq_ignore_ascii_case(name)))
    }

    /// The realm of this policy, if it differs from that of the space.
    pub const fn own_realm(&self) -> Option<&'static str> {
        self.realm
    }

    /// The requirement; `None` for a public handler.
    pub const fn requirement(&self) -> Option<&Requirement> {
        match &self.access {
            Access::Public { .. } => None,
            Access::Requires(requirement) => Some(requirement),
        }
    }

    /// Returns whether the policy depends on the client's address.
    pub const fn asks_for_network(&self) -> bool {
        let groups = self.groups.and(self.groups_of_lesser);
        groups.contain(Group::Context)
    }

    /// Returns whether the requirement has an atom of the given group.
    pub const fn asks_about(&self, group: Group) -> bool {
        self.groups.contain(group)
    }

    /// Returns whether only sender-constrained credentials can meet the requirement, whatever else
    /// is granted.
    pub const fn demands_bound_credentials(&self) -> bool {
        self.demands_bound_credentials
    }

    /// Returns whether some denials of this policy request other credentials or a new login.
    pub fn may_ask_for_credentials(&self) -> bool {
        let asks_who = |atom: Atom| atom.group() != Group::Context;
        let asks_how = |atom: Atom| matches!(atom.group(), Group::Freshness | Group::Binding);
        self.requirement().is_some_and(|requirement| {
            let is_shown = !self.is_hidden() || self.shown_to().is_some();
            // The request for a new login is disclosed even if all other denials are concealed.
            requirement.contains(asks_how) || (is_shown && requirement.contains(asks_who))
        })
    }

    /// The names of the checks that may have to run, in the order of the attribute.
    pub fn checks(&self) -> Vec<&'static str> {
        let requirements = self.requirement().into_iter().chain(self.shown_to());
        let atoms = requirements.flat_map(Requirement::atoms);
        let checks = atoms.filter_map(|atom| match atom {
            Atom::Check(check) => Some(check),
            _ => None,
        });
        checks.collect()
    }

    /// The reason for making the handler public; `None` for other handlers.
    pub const fn public_reason(&self) -> Option<&'static str> {
        match self.access {
            Access::Public { reason } => Some(reason),
            Access::Requires(_) => None,
        }
    }

    /// Returns whether denied requests receive the response of an unknown path.
    pub const fn is_hidden(&self) -> bool {
        matches!(self.display, Display::Hidden { .. })
    }

    /// The lesser requirement of `hide_unless`. Denials are disclosed to callers that meet it.
    pub const fn shown_to(&self) -> Option<&Requirement> {
        match &self.display {
            Display::Hidden {
                unless: Some(lesser),
            } => Some(lesser),
            _ => None,
        }
    }
}

impl fmt::Display for Policy {
    /// Formats an equivalent attribute that needs no vocabulary: names of the vocabulary are
    /// expanded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.access {
            Access::Public { reason } => return write!(f, "public(reason = {reason:?})"),
            Access::Requires(Requirement::All(parts)) if !parts.is_empty() => {
                f.write_str("requires(")?;
                write_list(parts, f)?;
            }
            Access::Requires(requirement) => write!(f, "requires({requirement}")?,
        }
        if self.is_hidden() {
            f.write_str(", hide_as = 404")?;
        }
        match self.shown_to() {
            Some(Requirement::Atom(atom)) => write!(f, ", hide_unless = {}", atom.as_call())?,
            Some(lesser) => write!(f, ", hide_unless = {lesser}")?,
            None => {}
        }
        if let Some(names) = self.schemes {
            write!(f, ", schemes({})", Schemes(names))?;
        }
        if let Some(realm) = self.realm {
            write!(f, ", realm = {realm:?}")?;
        }
        if let Some(reason) = self.loosened {
            write!(f, ", loosen = {reason:?}")?;
        }
        f.write_str(")")
    }
}

/// The names of schemes as in an attribute: registered names without quotes.
struct Schemes(&'static [&'static str]);

impl fmt::Display for Schemes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if is_word && registered_spelling(name).is_some() {
                write!(f, "{comma}{name}")?;
            } else {
                write!(f, "{comma}{name:?}")?;
            }
        }
        Ok(())
    }
}
