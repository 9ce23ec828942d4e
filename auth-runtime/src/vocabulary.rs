//! What a service declares in `auth.toml`, for the running program.

use crate::network::Network;

/// The scopes, roles, permissions, networks and policies that a service knows.
///
/// Made by [`vocabulary!`](crate::vocabulary!) from `auth.toml`; each list is in the order of the
/// names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    realm: Option<&'static str>,
    scopes: &'static [Term],
    roles: &'static [Term],
    permissions: &'static [Term],
    networks: &'static [Network],
    policies: &'static [DeclaredPolicy],
}

impl Vocabulary {
    /// What these lists declare.
    pub const fn new(
        realm: Option<&'static str>,
        scopes: &'static [Term],
        roles: &'static [Term],
        permissions: &'static [Term],
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

    /// The scopes.
    pub const fn scopes(&self) -> &'static [Term] {
        self.scopes
    }

    /// The roles.
    pub const fn roles(&self) -> &'static [Term] {
        self.roles
    }

    /// The permissions.
    pub const fn permissions(&self) -> &'static [Term] {
        self.permissions
    }

    /// The networks.
    pub const fn networks(&self) -> &'static [Network] {
        self.networks
    }

    /// The policies.
    pub const fn policies(&self) -> &'static [DeclaredPolicy] {
        self.policies
    }
}

/// A policy of the vocabulary: what `policy = "..."` stands for.
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
    /// The policy `name`, which stands for what it `requires`.
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

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is for, in the words of the vocabulary; empty if that does not say.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// What would stand in `#[requires(...)]` in its place.
    pub const fn requires(&self) -> &'static str {
        self.requires
    }
}

/// A name that can be required, and what it is for.
///
/// ```
/// use auth_runtime::Term;
///
/// const WRITE: Term = Term::new("repo:write", "Change repositories", &["repo:read"]);
/// assert_eq!(WRITE.implies(), ["repo:read"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    name: &'static str,
    description: &'static str,
    implies: &'static [&'static str],
}

impl Term {
    /// `name`, which whoever has it has all that it `implies` with.
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

    /// What it is for, in the words of the vocabulary.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// What is granted with it, as it is declared: these may imply others.
    pub const fn implies(&self) -> &'static [&'static str] {
        self.implies
    }
}
