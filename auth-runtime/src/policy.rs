//! The requirement of one handler, and how a denial is shown.

use std::borrow::Cow;
use std::fmt;

use crate::challenge::registered_spelling;
use crate::check::Check;
use crate::requirement::{Atom, Group, Groups, Requirement, write_list};

/// Who may call one handler, and how the others are told.
///
/// `#[requires(...)]` and `#[public(...)]` build it while compiling.
///
/// ```
/// use auth_runtime::{Policy, Requirement};
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
    /// What the requirement is about, and what `hide_unless` is. Found out while compiling, since every
    /// request wants to know.
    groups: Groups,
    groups_of_lesser: Groups,
    /// The same, for every denial.
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
    /// Lets in callers who meet `requirement`; denials are shown.
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

    /// Lets everybody in, and looks at no credentials. `reason` says why that is right.
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

    /// Answers denials as a path that was never there (RFC 9110 §15.5.4).
    pub const fn hide_as_not_found(mut self) -> Self {
        self.display = Display::Hidden { unless: None };
        self
    }

    /// Hides, but shows the denial to a caller who meets this lesser requirement.
    pub const fn hide_unless(mut self, lesser: Requirement) -> Self {
        self.display = Display::Hidden {
            unless: Some(lesser),
        };
        self.groups_of_lesser = lesser.groups();
        self
    }

    /// Accepts only these of the space's schemes, by their names: credentials of the others count
    /// as none, and their challenges are not sent.
    pub const fn schemes(mut self, names: &'static [&'static str]) -> Self {
        self.schemes = Some(names);
        self
    }

    /// The same, hidden from nobody.
    pub(crate) const fn shown(mut self) -> Self {
        self.display = Display::Shown;
        self
    }

    /// Names another realm in challenges than the space's own (RFC 9110 §11.5).
    pub const fn realm(mut self, realm: &'static str) -> Self {
        self.realm = Some(realm);
        self
    }

    /// Says why the policy of the module around it does not hold, and this one does.
    pub const fn loosened(mut self, reason: &'static str) -> Self {
        self.loosened = Some(reason);
        self
    }

    /// Why the policy of the module around it does not hold; `None` if it does, or there is none.
    pub const fn loosened_reason(&self) -> Option<&'static str> {
        self.loosened
    }

    /// Says how the attribute is written, where its names were looked up in a vocabulary.
    pub const fn written_as(mut self, attribute: &'static str) -> Self {
        self.written = Some(attribute);
        self
    }

    /// How it is written, as in `requires(policy = "staff")`: with what the modules around ask for, and
    /// with names for what the vocabulary says. [`Display`](fmt::Display) spells that out.
    ///
    /// ```
    /// use auth_runtime::{Policy, Requirement};
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

    /// The schemes that are accepted; `None` for all of the space's.
    pub const fn accepted_schemes(&self) -> Option<&'static [&'static str]> {
        self.schemes
    }

    /// Whether every caller that it allows is allowed by `other` as well, credentials of other schemes
    /// taken into account.
    #[cfg(feature = "axum")]
    pub(crate) fn is_within(&self, other: &Self) -> bool {
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
    pub(crate) fn accepts(&self, name: &str) -> bool {
        self.schemes
            .is_none_or(|names| names.iter().any(|own| own.eq_ignore_ascii_case(name)))
    }

    /// The realm of its own, if it has one.
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

    /// Whether where a request comes from matters.
    pub(crate) const fn asks_for_network(&self) -> bool {
        let groups = self.groups.and(self.groups_of_lesser);
        groups.contain(Group::Context)
    }

    /// Whether some atom of the requirement is of that group.
    pub(crate) const fn asks_about(&self, group: Group) -> bool {
        self.groups.contain(group)
    }

    /// Whether nobody gets in whose credentials are not bound to a key, whatever else is granted.
    pub(crate) const fn demands_bound_credentials(&self) -> bool {
        self.demands_bound_credentials
    }

    /// Whether some callers are told that other credentials, or a new login, would let them in.
    pub(crate) fn may_ask_for_credentials(&self) -> bool {
        let asks_who = |atom: Atom| atom.group() != Group::Context;
        let asks_how = |atom: Atom| matches!(atom.group(), Group::Freshness | Group::Binding);
        self.requirement().is_some_and(|requirement| {
            let is_shown = !self.is_hidden() || self.shown_to().is_some();
            // To log in again is told where everything else is hidden.
            requirement.contains(asks_how) || (is_shown && requirement.contains(asks_who))
        })
    }

    /// Whether there are checks that may have to be asked.
    #[cfg(feature = "axum")]
    pub(crate) fn asks_checks(&self) -> bool {
        let mut requirements = self.requirement().into_iter().chain(self.shown_to());
        requirements.any(|part| part.contains(|atom| matches!(atom, Atom::Check(_))))
    }

    /// The checks that may have to be asked, as they are written.
    pub fn checks(&self) -> Vec<Check> {
        let requirements = self.requirement().into_iter().chain(self.shown_to());
        let atoms = requirements.flat_map(Requirement::atoms);
        let checks = atoms.filter_map(|atom| match atom {
            Atom::Check(check) => Some(check),
            _ => None,
        });
        checks.collect()
    }

    /// Why the handler is public; `None` for one that is not.
    pub const fn public_reason(&self) -> Option<&'static str> {
        match self.access {
            Access::Public { reason } => Some(reason),
            Access::Requires(_) => None,
        }
    }

    /// Whether denials are answered as a path that was never there.
    pub const fn is_hidden(&self) -> bool {
        matches!(self.display, Display::Hidden { .. })
    }

    /// The lesser requirement whose holders are shown the denial of a hidden handler.
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
    /// As it could be written in an attribute without a vocabulary: what a name stands for is spelled out.
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

/// The names of schemes as they are written: those that are registered without quotes.
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
