//! The declarations of `auth.toml`, for the running program.

use std::collections::BTreeSet;

use crate::identity::Identity;
use crate::network::Network;

/// The scopes, roles, permissions, networks and policies that a service declares.
///
/// [`vocabulary!`](crate::vocabulary!) constructs it from `auth.toml`. Each list is sorted by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    realm: Option<&'static str>,
    scopes: &'static [VocabularyEntry],
    roles: &'static [VocabularyEntry],
    permissions: &'static [VocabularyEntry],
    networks: &'static [Network],
    policies: &'static [DeclaredPolicy],
}

impl Vocabulary {
    /// Creates a vocabulary from lists of declarations.
    pub const fn new(
        realm: Option<&'static str>,
        scopes: &'static [VocabularyEntry],
        roles: &'static [VocabularyEntry],
        permissions: &'static [VocabularyEntry],
        networks: &'static [Network],
        policies: &'static [DeclaredPolicy],
    ) -> Self {
        Self {
            realm,
            scopes,
            roles,
            permissions,
            networks,
            policies,
        }
    }

    /// The realm, for [`ProtectionSpaceBuilder::realm`](crate::ProtectionSpaceBuilder::realm).
    pub const fn realm(&self) -> Option<&'static str> {
        self.realm
    }

    /// The declared scopes.
    pub const fn scopes(&self) -> &'static [VocabularyEntry] {
        self.scopes
    }

    /// The declared roles.
    pub const fn roles(&self) -> &'static [VocabularyEntry] {
        self.roles
    }

    /// The declared permissions.
    pub const fn permissions(&self) -> &'static [VocabularyEntry] {
        self.permissions
    }

    /// The declared networks.
    pub const fn networks(&self) -> &'static [Network] {
        self.networks
    }

    /// The declared policies.
    pub const fn policies(&self) -> &'static [DeclaredPolicy] {
        self.policies
    }

    /// Returns whether `identity` meets `scope = "…"` in an attribute: it was granted that scope,
    /// or one that implies it.
    ///
    /// ```
    /// use auth_runtime::{Identity, VocabularyEntry, Vocabulary};
    ///
    /// // const VOCABULARY: Vocabulary = auth_runtime::vocabulary!();
    /// const SCOPES: &[VocabularyEntry] = &[
    ///     VocabularyEntry::new("repo:read", "Read repositories", &[]),
    ///     VocabularyEntry::new("repo:write", "Change repositories", &["repo:read"]),
    /// ];
    /// const VOCABULARY: Vocabulary = Vocabulary::new(None, SCOPES, &[], &[], &[], &[]);
    ///
    /// let ann = Identity::new("ann").with_scopes(["repo:write"]);
    /// assert!(VOCABULARY.has_scope(&ann, "repo:read"));
    /// assert!(!ann.has_scope("repo:read"), "the identity knows what was granted, and no more");
    /// ```
    pub fn has_scope(&self, identity: &Identity, scope: &str) -> bool {
        meets(self.scopes, scope, |name| identity.has_scope(name))
    }

    /// Returns whether `identity` meets `role = "…"`: it holds that role, or one that implies it.
    pub fn has_role(&self, identity: &Identity, role: &str) -> bool {
        meets(self.roles, role, |name| identity.has_role(name))
    }

    /// Returns whether `identity` meets `permission = "…"`: it holds that permission, or one that
    /// implies it.
    pub fn has_permission(&self, identity: &Identity, permission: &str) -> bool {
        meets(self.permissions, permission, |name| {
            identity.has_permission(name)
        })
    }
}

/// Returns whether `name` is granted, or another name that implies it, directly or transitively.
fn meets(terms: &[VocabularyEntry], name: &str, is_granted: impl Fn(&str) -> bool) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        if is_granted(name) {
            return true;
        }
        // A file cannot declare a cycle, but a handwritten vocabulary can, and must not cause an
        // endless loop.
        if seen.insert(name) {
            let implying = terms.iter().filter(|term| term.implies.contains(&name));
            open.extend(implying.map(|term| term.name));
        }
    }
    false
}

/// A policy of the vocabulary, which `policy = "..."` refers to.
///
/// ```
/// use auth_runtime::DeclaredPolicy;
///
/// const STAFF: DeclaredPolicy = DeclaredPolicy::new(
///     "staff",
///     "Whoever works here",
///     r#"any(role = "admin", role = "editor")"#,
/// );
/// assert_eq!(STAFF.requires(), r#"any(role = "admin", role = "editor")"#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredPolicy {
    name: &'static str,
    description: &'static str,
    requires: &'static str,
}

impl DeclaredPolicy {
    /// Creates the policy `name` with the requirement `requires`.
    pub const fn new(
        name: &'static str,
        description: &'static str,
        requires: &'static str,
    ) -> Self {
        Self {
            name,
            description,
            requires,
        }
    }

    /// The name of the policy.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The description in the vocabulary; empty if there is none.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// The equivalent requirement, as it would be written in `#[requires(...)]`.
    pub const fn requires(&self) -> &'static str {
        self.requires
    }
}

/// A declared scope, role or permission, and its description.
///
/// ```
/// use auth_runtime::VocabularyEntry;
///
/// const WRITE: VocabularyEntry = VocabularyEntry::new("repo:write", "Change repositories", &["repo:read"]);
/// assert_eq!(WRITE.implies(), ["repo:read"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VocabularyEntry {
    name: &'static str,
    description: &'static str,
    implies: &'static [&'static str],
}

impl VocabularyEntry {
    /// Creates the name `name`. Its holders also hold all names in `implies`.
    pub const fn new(
        name: &'static str,
        description: &'static str,
        implies: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            description,
            implies,
        }
    }

    /// The name of the scope, role or permission.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The description in the vocabulary.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// The directly implied names; these may imply others.
    pub const fn implies(&self) -> &'static [&'static str] {
        self.implies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: &[VocabularyEntry] = &[
        VocabularyEntry::new("read", "", &[]),
        VocabularyEntry::new("write", "", &["read"]),
        VocabularyEntry::new("admin", "", &["write"]),
        VocabularyEntry::new("this", "", &["that"]),
        VocabularyEntry::new("that", "", &["this"]),
    ];

    fn vocabulary() -> Vocabulary {
        Vocabulary::new(None, TERMS, TERMS, TERMS, &[], &[])
    }

    #[test]
    fn whoever_holds_what_implies_a_name_has_it() {
        for (held, asked, expected) in [
            ("read", "read", true),
            ("write", "read", true),
            ("admin", "read", true),
            ("read", "write", false),
            ("admin", "this", false),
            ("undeclared", "undeclared", true),
            ("undeclared", "read", false),
            ("this", "that", true),
            ("read", "this", false),
        ] {
            let case = format!("{held} for {asked}");
            let vocabulary = vocabulary();
            let ann = Identity::new("ann").with_scopes([held]);
            assert_eq!(vocabulary.has_scope(&ann, asked), expected, "{case}");
            let ann = Identity::new("ann").with_roles([held]);
            assert_eq!(vocabulary.has_role(&ann, asked), expected, "{case}");
            assert!(!vocabulary.has_scope(&ann, asked), "a role is no scope");
            let ann = Identity::new("ann").with_permissions([held]);
            assert_eq!(vocabulary.has_permission(&ann, asked), expected, "{case}");
        }
    }
}
