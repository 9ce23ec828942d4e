//! The boolean expression over what a caller is and was granted.

use std::fmt;

use crate::truth::Truth;

/// What a policy asks of a caller: atoms, joined by `all` and `any`.
///
/// The attributes build it while compiling; it is plain constant data.
///
/// ```
/// use auth_runtime::Requirement;
///
/// const STAFF: Requirement = Requirement::any(&[
///     Requirement::role("admin"),
///     Requirement::all(&[Requirement::role("clerk"), Requirement::scope("orders:read")]),
/// ]);
/// assert_eq!(
///     STAFF.to_string(),
///     r#"any(role = "admin", all(role = "clerk", scope = "orders:read"))"#,
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Requirement {
    /// A single statement.
    Atom(Atom),
    /// Every one of these. Of none: everybody.
    All(&'static [Requirement]),
    /// At least one of these. Of none: nobody.
    Any(&'static [Requirement]),
}

/// A requirement that has no parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Atom {
    /// The caller is known, whoever it is.
    Authenticated,
    /// The caller was granted this scope (RFC 6749 §3.3): compared whole and by case.
    Scope(&'static str),
    /// The caller holds this role.
    Role(&'static str),
    /// The caller holds this permission.
    Permission(&'static str),
}

impl Requirement {
    /// The caller is known, whoever it is.
    pub const fn authenticated() -> Self {
        Self::Atom(Atom::Authenticated)
    }

    /// The caller was granted `scope`.
    pub const fn scope(scope: &'static str) -> Self {
        Self::Atom(Atom::Scope(scope))
    }

    /// The caller holds `role`.
    pub const fn role(role: &'static str) -> Self {
        Self::Atom(Atom::Role(role))
    }

    /// The caller holds `permission`.
    pub const fn permission(permission: &'static str) -> Self {
        Self::Atom(Atom::Permission(permission))
    }

    /// Every one of `parts`. Of none: everybody.
    pub const fn all(parts: &'static [Requirement]) -> Self {
        Self::All(parts)
    }

    /// At least one of `parts`. Of none: nobody.
    pub const fn any(parts: &'static [Requirement]) -> Self {
        Self::Any(parts)
    }

    /// What the expression comes to when `atom` says what each atom is.
    ///
    /// Stops at the first part that settles it.
    pub fn evaluate(&self, atom: &dyn Fn(Atom) -> Truth) -> Truth {
        match self {
            Self::Atom(leaf) => atom(*leaf),
            Self::All(parts) => Truth::all(parts.iter().map(|part| part.evaluate(atom))),
            Self::Any(parts) => Truth::any(parts.iter().map(|part| part.evaluate(atom))),
        }
    }
}

impl Atom {
    /// As it is written in `hide_unless`, where a second `=` would be hard to read.
    pub(crate) fn as_call(self) -> String {
        match self.to_string().split_once(" = ") {
            Some((key, name)) => format!("{key}({name})"),
            None => self.to_string(),
        }
    }
}

/// Writes `parts` with a comma between each two.
pub(crate) fn write_list(parts: &[Requirement], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{part}")?;
    }
    Ok(())
}

impl fmt::Display for Requirement {
    /// As it is written in the attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, parts) = match self {
            Self::Atom(atom) => return atom.fmt(f),
            Self::All(parts) => ("all", parts),
            Self::Any(parts) => ("any", parts),
        };
        write!(f, "{name}(")?;
        write_list(parts, f)?;
        f.write_str(")")
    }
}

impl fmt::Display for Atom {
    /// As it is written in the attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticated => f.write_str("authenticated"),
            Self::Scope(scope) => write!(f, "scope = {scope:?}"),
            Self::Role(role) => write!(f, "role = {role:?}"),
            Self::Permission(permission) => write!(f, "permission = {permission:?}"),
        }
    }
}
