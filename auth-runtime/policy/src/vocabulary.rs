//! The declarations of `auth.toml`, for the running program.

use std::collections::BTreeSet;

use crate::network::Network;

/// The scopes, roles, permissions, actions, types of objects, networks, settings and policies that a
/// service declares.
///
/// `auth_runtime::vocabulary!` constructs it from `auth.toml`. Each list is sorted by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    realm: Option<&'static str>,
    scopes: &'static [VocabularyEntry],
    roles: &'static [VocabularyEntry],
    permissions: &'static [VocabularyEntry],
    networks: &'static [Network],
    settings: &'static [VocabularyEntry],
    policies: &'static [DeclaredPolicy],
    actions: &'static [DeclaredAction],
    resources: &'static [VocabularyEntry],
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
            settings: &[],
            policies,
            actions: &[],
            resources: &[],
        }
    }

    /// Adds the actions and the types of objects.
    #[must_use]
    pub const fn with_objects(
        self,
        actions: &'static [DeclaredAction],
        resources: &'static [VocabularyEntry],
    ) -> Self {
        Self {
            actions,
            resources,
            ..self
        }
    }

    /// Adds the settings.
    #[must_use]
    pub const fn with_settings(self, settings: &'static [VocabularyEntry]) -> Self {
        Self { settings, ..self }
    }

    /// The declared actions.
    pub const fn actions(&self) -> &'static [DeclaredAction] {
        self.actions
    }

    /// The declared types of objects.
    pub const fn resources(&self) -> &'static [VocabularyEntry] {
        self.resources
    }

    /// The realm of the protection space.
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

    /// The declared settings. The protection space has a value for each one that a policy requires.
    pub const fn settings(&self) -> &'static [VocabularyEntry] {
        self.settings
    }

    /// The declared policies.
    pub const fn policies(&self) -> &'static [DeclaredPolicy] {
        self.policies
    }

    /// Returns whether a caller meets `scope = "…"` in an attribute: it was granted that scope, or
    /// one that implies it, directly or transitively.
    ///
    /// ```
    /// # mod auth_runtime { pub mod policy { pub use auth_runtime_policy::*; } }
    /// use auth_runtime::policy::{Vocabulary, VocabularyEntry};
    ///
    /// const SCOPES: &[VocabularyEntry] = &[
    ///     VocabularyEntry::new("repo:read", "Read repositories", &[]),
    ///     VocabularyEntry::new("repo:write", "Change repositories", &["repo:read"]),
    /// ];
    /// const VOCABULARY: Vocabulary = Vocabulary::new(None, SCOPES, &[], &[], &[], &[]);
    ///
    /// assert!(VOCABULARY.meets_scope("repo:read", |granted| granted == "repo:write"));
    /// assert!(!VOCABULARY.meets_scope("repo:write", |granted| granted == "repo:read"));
    /// ```
    pub fn meets_scope(&self, scope: &str, is_granted: impl Fn(&str) -> bool) -> bool {
        meets(self.scopes, scope, is_granted)
    }

    /// Returns whether a caller meets `role = "…"`: it holds that role, or one that implies it.
    pub fn meets_role(&self, role: &str, is_granted: impl Fn(&str) -> bool) -> bool {
        meets(self.roles, role, is_granted)
    }

    /// Returns whether a caller meets `permission = "…"`: it holds that permission, or one that
    /// implies it.
    pub fn meets_permission(&self, permission: &str, is_granted: impl Fn(&str) -> bool) -> bool {
        meets(self.permissions, permission, is_granted)
    }
}

/// Returns whether `name` is granted, or another name that implies it, directly or transitively.
fn meets(entries: &[VocabularyEntry], name: &str, is_granted: impl Fn(&str) -> bool) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        if is_granted(name) {
            return true;
        }
        // A file cannot declare a cycle, but a handwritten vocabulary can, and must not cause an
        // endless loop.
        if seen.insert(name) {
            let implying = entries.iter().filter(|entry| entry.implies.contains(&name));
            open.extend(implying.map(|entry| entry.name));
        }
    }
    false
}

/// A declared action, and the types of the objects that it applies to.
///
/// ```
/// # mod auth_runtime { pub mod policy { pub use auth_runtime_policy::*; } }
/// use auth_runtime::policy::DeclaredAction;
///
/// const UPDATE: DeclaredAction = DeclaredAction::new("update", "Change it", &["Repository"]);
/// assert_eq!(UPDATE.resource_types(), ["Repository"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredAction {
    name: &'static str,
    description: &'static str,
    on: &'static [&'static str],
}

impl DeclaredAction {
    /// Creates the action `name` on objects of the types `on`.
    pub const fn new(
        name: &'static str,
        description: &'static str,
        on: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            description,
            on,
        }
    }

    /// The name of the action.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The description in the vocabulary.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// The types of the objects that the action applies to; empty for all types, and the service itself.
    pub const fn resource_types(&self) -> &'static [&'static str] {
        self.on
    }
}

/// A policy of the vocabulary, which `policy = "..."` refers to.
///
/// ```
/// # mod auth_runtime { pub mod policy { pub use auth_runtime_policy::*; } }
/// use auth_runtime::policy::DeclaredPolicy;
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

/// A declared scope, role, permission, setting or type of objects, and its description.
///
/// ```
/// # mod auth_runtime { pub mod policy { pub use auth_runtime_policy::*; } }
/// use auth_runtime::policy::VocabularyEntry;
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

    /// The name.
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

    const ENTRIES: &[VocabularyEntry] = &[
        VocabularyEntry::new("read", "", &[]),
        VocabularyEntry::new("write", "", &["read"]),
        VocabularyEntry::new("admin", "", &["write"]),
        VocabularyEntry::new("this", "", &["that"]),
        VocabularyEntry::new("that", "", &["this"]),
    ];

    #[test]
    fn implying_names_meet_a_name() {
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
            let is_met = meets(ENTRIES, asked, |name| name == held);
            assert_eq!(is_met, expected, "{held} for {asked}");
        }
    }

    #[test]
    fn lists_are_asked_about_own_names() {
        let [scopes, roles, permissions] = [&ENTRIES[1..2], &ENTRIES[2..3], &ENTRIES[3..4]];
        let vocabulary = Vocabulary::new(None, scopes, roles, permissions, &[], &[]);
        let is_one_of = |names: &'static [&str]| move |name: &str| names.contains(&name);
        assert!(vocabulary.meets_scope("read", is_one_of(&["write"])));
        assert!(!vocabulary.meets_scope("write", is_one_of(&["admin"])));
        assert!(vocabulary.meets_role("write", is_one_of(&["admin"])));
        assert!(!vocabulary.meets_role("read", is_one_of(&["write"])));
        assert!(vocabulary.meets_permission("that", is_one_of(&["this"])));
        assert!(!vocabulary.meets_permission("read", is_one_of(&["write"])));
    }
}
