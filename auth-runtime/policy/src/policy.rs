//! The requirement of one handler, and the disclosure of its denials.

mod settings;
mod text;

use std::borrow::Cow;
#[cfg(doc)]
use std::fmt;

use crate::object_source::ObjectSource;
use crate::requirement::{Atom, Group, Groups, Requirement};

/// The requirement of one handler and the disclosure of its denials.
///
/// `#[requires(...)]` and `#[public(...)]` construct it at compile time.
///
/// ```
/// # extern crate auth_runtime_policy as auth_runtime;
/// use auth_runtime::{Policy, Requirement};
///
/// let policy = Policy::requires(Requirement::scope("admin")).hide_as_not_found();
/// assert_eq!(policy.to_string(), r#"requires(scope = "admin", hide_as = 404)"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    access: Access,
    disclosure: Disclosure,
    schemes: Option<Cow<'static, [Cow<'static, str>]>>,
    realm: Option<Cow<'static, str>>,
    says: Option<Cow<'static, str>>,
    loosened: Option<Cow<'static, str>>,
    written: Option<Cow<'static, str>>,
    /// The groups of the atoms in the requirement, and of those in `hide_unless`. Computed at
    /// compile time, since every request needs them.
    groups: Groups,
    groups_of_lesser: Groups,
    depends_on_network: bool,
    /// Also computed at compile time, since every denial needs it.
    requires_sender_constraint: bool,
}

/// A `can` requirement of a policy.
#[derive(Clone, Copy, Debug)]
pub struct ObjectRequirement<'p> {
    /// The requirement itself.
    pub atom: &'p Atom,
    /// The name of the action.
    pub action: &'p Cow<'static, str>,
    /// The source of the object.
    pub on: &'p ObjectSource,
}

/// The callers that a policy allows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Every caller.
    Public {
        /// The reason.
        reason: Cow<'static, str>,
        /// True if the handler receives the identity of a known caller (`identity = optional`).
        /// Otherwise credentials are ignored.
        optional_identity: bool,
    },
    /// The callers that meet the requirement.
    Requires(Requirement),
}

/// The callers to which denials are disclosed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Disclosure {
    /// All callers.
    Shown,
    /// The callers that meet the lesser requirement; none without one. The others receive the
    /// response of an unknown path.
    Hidden(Option<Requirement>),
}

impl Policy {
    /// Grants callers that meet `requirement`, and discloses denials.
    pub const fn requires(requirement: Requirement) -> Self {
        Self::new(Access::Requires(requirement), Disclosure::Shown)
    }

    /// Grants every caller and ignores credentials. `reason` justifies that.
    pub const fn public(reason: &'static str) -> Self {
        let access = Access::Public {
            reason: Cow::Borrowed(reason),
            optional_identity: false,
        };
        Self::new(access, Disclosure::Shown)
    }

    /// Grants every caller, and identifies known ones (`identity = optional`). Explicit credentials that are rejected or
    /// unverifiable are denied, with 401 or 503. `reason` justifies that the handler is public.
    ///
    /// ```
    /// # extern crate auth_runtime_policy as auth_runtime;
    /// use auth_runtime::Policy;
    ///
    /// let policy = Policy::public_with_identity("a page for all, with a menu for members");
    /// assert!(!policy.ignores_credentials());
    /// ```
    pub const fn public_with_identity(reason: &'static str) -> Self {
        let access = Access::Public {
            reason: Cow::Borrowed(reason),
            optional_identity: true,
        };
        Self::new(access, Disclosure::Shown)
    }

    /// Creates a policy for all schemes and with the realm of the space.
    pub const fn new(access: Access, disclosure: Disclosure) -> Self {
        Self::from_parts(access, disclosure, None, None, None, None, None)
    }

    /// Creates a policy from all its parts, as the attributes write it: the accepted schemes, the
    /// realm, the text of its denials, the reason for replacing the policy of the surrounding module, and the text of
    /// the attribute, if its names come from a vocabulary.
    #[doc(hidden)]
    pub const fn from_parts(
        access: Access,
        disclosure: Disclosure,
        schemes: Option<Cow<'static, [Cow<'static, str>]>>,
        realm: Option<Cow<'static, str>>,
        says: Option<Cow<'static, str>>,
        loosened: Option<Cow<'static, str>>,
        written: Option<Cow<'static, str>>,
    ) -> Self {
        let (groups, is_placed, requires_sender_constraint) = match &access {
            Access::Public { .. } => (Groups::NONE, false, false),
            Access::Requires(requirement) => (
                requirement.groups(),
                requirement.depends_on_network(),
                requirement.can_be_met(true) && !requirement.can_be_met(false),
            ),
        };
        let (groups_of_lesser, is_lesser_placed) = match &disclosure {
            Disclosure::Hidden(Some(lesser)) => (lesser.groups(), lesser.depends_on_network()),
            Disclosure::Hidden(None) | Disclosure::Shown => (Groups::NONE, false),
        };
        Self {
            access,
            disclosure,
            schemes,
            realm,
            says,
            loosened,
            written,
            groups,
            groups_of_lesser,
            depends_on_network: is_placed || is_lesser_placed,
            requires_sender_constraint,
        }
    }

    fn disclosing(self, disclosure: Disclosure) -> Self {
        Self::from_parts(
            self.access,
            disclosure,
            self.schemes,
            self.realm,
            self.says,
            self.loosened,
            self.written,
        )
    }

    /// Responds to denied requests as to an unknown path (RFC 9110 §15.5.4).
    #[must_use]
    pub fn hide_as_not_found(self) -> Self {
        self.disclosing(Disclosure::Hidden(None))
    }

    /// Conceals denials, except from callers that meet the lesser requirement.
    #[must_use]
    pub fn hide_unless(self, lesser: Requirement) -> Self {
        self.disclosing(Disclosure::Hidden(Some(lesser)))
    }

    /// The same policy with disclosed denials.
    #[must_use]
    pub fn shown(self) -> Self {
        self.disclosing(Disclosure::Shown)
    }

    /// The same policy on a path where the policy of another method is hidden: denials are concealed
    /// as well, since they would disclose the path.
    #[must_use]
    pub fn on_hidden_path(&self) -> Cow<'_, Self> {
        match (&self.access, &self.disclosure) {
            (Access::Requires(_), Disclosure::Shown) => {
                Cow::Owned(self.clone().hide_as_not_found())
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// Accepts only the named schemes of the space. Credentials of other schemes count as none, and
    /// their challenges are not sent.
    #[must_use]
    pub fn schemes<S: Into<Cow<'static, str>>>(self, names: impl IntoIterator<Item = S>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self {
            schemes: Some(Cow::Owned(names)),
            ..self
        }
    }

    /// Sets the realm in challenges, in place of the realm of the space (RFC 9110 §11.5).
    #[must_use]
    pub fn realm(self, realm: impl Into<Cow<'static, str>>) -> Self {
        Self {
            realm: Some(realm.into()),
            ..self
        }
    }

    /// Sets the text of disclosed denials, for their body.
    ///
    /// ```
    /// # extern crate auth_runtime_policy as auth_runtime;
    /// use auth_runtime::{Policy, Requirement};
    ///
    /// let policy = Policy::requires(Requirement::role("team")).says("Only the team can see this.");
    /// assert_eq!(
    ///     policy.to_string(),
    ///     r#"requires(role = "team", says = "Only the team can see this.")"#,
    /// );
    /// ```
    #[must_use]
    pub fn says(self, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            says: Some(text.into()),
            ..self
        }
    }

    /// Replaces the policy of the surrounding module, for the given reason.
    #[must_use]
    pub fn loosened(self, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            loosened: Some(reason.into()),
            ..self
        }
    }

    /// Sets the text of the attribute, if its names come from a vocabulary.
    #[must_use]
    pub fn written_as(self, attribute: impl Into<Cow<'static, str>>) -> Self {
        Self {
            written: Some(attribute.into()),
            ..self
        }
    }

    /// The same policy with its requirement, and the lesser one of `hide_unless`, changed by `change`.
    #[must_use]
    pub fn map(&self, change: impl Fn(&Requirement) -> Requirement) -> Self {
        let access = match &self.access {
            public @ Access::Public { .. } => public.clone(),
            Access::Requires(requirement) => Access::Requires(change(requirement)),
        };
        let disclosure = match &self.disclosure {
            Disclosure::Hidden(Some(lesser)) => Disclosure::Hidden(Some(change(lesser))),
            disclosure => disclosure.clone(),
        };
        Self::from_parts(
            access,
            disclosure,
            self.schemes.clone(),
            self.realm.clone(),
            self.says.clone(),
            self.loosened.clone(),
            self.written.clone(),
        )
    }

    /// The same policy with the source of each object changed by `change`.
    #[must_use]
    pub fn map_objects(&self, change: impl Fn(&ObjectSource) -> ObjectSource) -> Self {
        self.map(|requirement| {
            requirement.map(&|atom| {
                Requirement::Atom(match atom {
                    Atom::Can { action, on } => Atom::Can {
                        action: action.clone(),
                        on: change(on),
                    },
                    other => other.clone(),
                })
            })
        })
    }

    /// The callers that it allows.
    pub const fn access(&self) -> &Access {
        &self.access
    }

    /// The callers to which its denials are disclosed.
    pub const fn disclosure(&self) -> &Disclosure {
        &self.disclosure
    }

    /// The reason for replacing the policy of the surrounding module, if this policy replaces one.
    pub fn loosened_reason(&self) -> Option<&str> {
        self.loosened.as_deref()
    }

    /// The text of the attribute, as in `requires(policy = "staff")`. It includes the requirements
    /// of the surrounding modules, and keeps the names of the vocabulary. [`Display`](fmt::Display)
    /// expands these names.
    ///
    /// ```
    /// # extern crate auth_runtime_policy as auth_runtime;
    /// use auth_runtime::{Policy, Requirement};
    ///
    /// // From an `auth.toml` in which `repo:write` implies `repo:read`.
    /// let read = Requirement::any([Requirement::scope("repo:read"), Requirement::scope("repo:write")]);
    /// let policy = Policy::requires(read).written_as(r#"requires(scope = "repo:read")"#);
    /// assert_eq!(policy.written(), r#"requires(scope = "repo:read")"#);
    /// assert!(policy.to_string().contains("repo:write"));
    /// ```
    pub fn written(&self) -> Cow<'_, str> {
        match &self.written {
            Some(attribute) => Cow::Borrowed(attribute),
            None => Cow::Owned(self.to_string()),
        }
    }

    /// The text of the attribute, if its names come from a vocabulary.
    pub fn written_text(&self) -> Option<&str> {
        self.written.as_deref()
    }

    /// The accepted schemes; `None` for all schemes of the space.
    pub fn accepted_schemes(&self) -> Option<&[Cow<'static, str>]> {
        self.schemes.as_deref()
    }

    /// Returns whether credentials of the scheme `name` are accepted, if the space accepts them.
    pub fn accepts(&self, name: &str) -> bool {
        let names = self.accepted_schemes();
        names.is_none_or(|names| names.iter().any(|own| own.eq_ignore_ascii_case(name)))
    }

    /// The realm of this policy, if it differs from that of the space.
    pub fn own_realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The text of disclosed denials, if the policy has one. Responses to concealed denials never contain it.
    pub fn denial_text(&self) -> Option<&str> {
        self.says.as_deref()
    }

    /// The requirement; `None` for a public handler.
    pub const fn requirement(&self) -> Option<&Requirement> {
        match &self.access {
            Access::Public { .. } => None,
            Access::Requires(requirement) => Some(requirement),
        }
    }

    /// The requirement and that of `hide_unless`, as far as the policy has them.
    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.requirement().into_iter().chain(self.shown_to())
    }

    /// Returns whether the policy is public and does not depend on credentials.
    pub const fn ignores_credentials(&self) -> bool {
        matches!(
            self.access,
            Access::Public {
                optional_identity: false,
                ..
            }
        )
    }

    /// Returns whether the policy is public and identifies known callers (`identity = optional`).
    pub const fn has_optional_identity(&self) -> bool {
        matches!(
            self.access,
            Access::Public {
                optional_identity: true,
                ..
            }
        )
    }

    /// Returns whether the policy depends on the client's address.
    pub const fn depends_on_network(&self) -> bool {
        self.depends_on_network
    }

    /// Returns whether the requirement has an atom of the given group.
    #[doc(hidden)]
    pub const fn has_group(&self, group: Group) -> bool {
        self.groups.contain(group)
    }

    /// Returns whether only sender-constrained credentials can meet the requirement, with all other
    /// grants.
    pub const fn requires_sender_constraint(&self) -> bool {
        self.requires_sender_constraint
    }

    /// Returns whether some denials of this policy request other credentials or a new login.
    pub fn may_request_credentials(&self) -> bool {
        let asks_who = |atom: &Atom| atom.group() != Group::Context;
        let asks_login = |atom: &Atom| atom.group() == Group::Freshness;
        self.requirement().is_some_and(|requirement| {
            let is_shown = !self.is_hidden() || self.shown_to().is_some();
            // The request for a new login is disclosed even if all other denials are concealed.
            requirement.contains(asks_login) || (is_shown && requirement.contains(asks_who))
        })
    }

    /// The names of the checks that may have to run, in the order of the attribute.
    pub fn checks(&self) -> Vec<&str> {
        let atoms = self.requirements().flat_map(Requirement::atoms);
        let checks = atoms.filter_map(|atom| match atom {
            Atom::Check(check) => Some(check.as_ref()),
            _ => None,
        });
        checks.collect()
    }

    /// Returns whether a `can` requirement is in the policy.
    pub fn has_object_requirements(&self) -> bool {
        self.requirements()
            .any(|it| it.contains(|atom| matches!(atom, Atom::Can { .. })))
    }

    /// The `can` requirements, each once, in the order of the attribute and then of `hide_unless`.
    pub fn object_requirements(&self) -> Vec<ObjectRequirement<'_>> {
        let mut found: Vec<ObjectRequirement<'_>> = Vec::new();
        for atom in self.requirements().flat_map(Requirement::atoms) {
            if let Atom::Can { action, on } = atom
                && found.iter().all(|other| other.atom != atom)
            {
                found.push(ObjectRequirement { atom, action, on });
            }
        }
        found
    }

    /// The reason for making the handler public; `None` for other handlers.
    pub fn public_reason(&self) -> Option<&str> {
        match &self.access {
            Access::Public { reason, .. } => Some(reason),
            Access::Requires(_) => None,
        }
    }

    /// Returns whether denied requests receive the response of an unknown path.
    pub const fn is_hidden(&self) -> bool {
        matches!(self.disclosure, Disclosure::Hidden(_))
    }

    /// The lesser requirement of `hide_unless`. Denials are disclosed to callers that meet it.
    pub const fn shown_to(&self) -> Option<&Requirement> {
        match &self.disclosure {
            Disclosure::Hidden(lesser) => lesser.as_ref(),
            Disclosure::Shown => None,
        }
    }
}
