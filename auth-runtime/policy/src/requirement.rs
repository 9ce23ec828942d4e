//! The boolean expression over the properties and grants of a caller.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::network::Network;
use crate::object_source::ObjectSource;
use crate::resource_pattern::ResourcePattern;
use crate::truth::Truth;

/// A boolean expression that a caller has to meet: atoms, joined by `all` and `any`.
///
/// The attributes write it as constant data. A `const` with lists is written with the variants,
/// since a constant function cannot take a list apart:
///
/// ```
/// use std::borrow::Cow;
///
/// # extern crate auth_runtime_policy as auth_runtime;
/// use auth_runtime::Requirement;
///
/// const STAFF: Requirement = Requirement::Any(Cow::Borrowed(&[
///     Requirement::role("admin"),
///     Requirement::scope("staff"),
/// ]));
/// let staff = Requirement::any([Requirement::role("admin"), Requirement::scope("staff")]);
/// assert_eq!(staff, STAFF);
/// assert_eq!(staff.to_string(), r#"any(role = "admin", scope = "staff")"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Requirement {
    /// A single atom.
    Atom(Atom),
    /// All of these. An empty list is always true.
    All(Cow<'static, [Requirement]>),
    /// At least one of these. An empty list is always false.
    Any(Cow<'static, [Requirement]>),
}

/// A requirement that has no parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Atom {
    /// The caller is authenticated.
    Authenticated,
    /// The caller was granted this scope (RFC 6749 §3.3). Scopes are compared as a whole and
    /// case-sensitively.
    Scope(Cow<'static, str>),
    /// The caller holds this role.
    Role(Cow<'static, str>),
    /// The caller holds this permission.
    Permission(Cow<'static, str>),
    /// The function of the service with this path returns `true`.
    Check(Cow<'static, str>),
    /// The decision point of the service allows the caller an action on an object.
    Can {
        /// The name of the action.
        action: Cow<'static, str>,
        /// The source of the object.
        on: ObjectSource,
    },
    /// The caller logged in with this authentication context class (RFC 9470 §3).
    Acr(Cow<'static, str>),
    /// The caller logged in with this method, such as `otp` (RFC 8176).
    Amr(Cow<'static, str>),
    /// The caller logged in within this duration (RFC 9470 §3).
    MaxAge(Duration),
    /// The caller proved possession of the key that its credentials are bound to, so that a thief
    /// of the credentials could not use them (DPoP, RFC 9449; client certificates, RFC 8705).
    SenderConstrained,
    /// The request comes from this network. Independent of the caller.
    Network(Network),
    /// The operator of the service turned this setting on. Independent of the caller and of the request: the
    /// value is constant while the service runs.
    Setting(Cow<'static, str>),
}

/// The subject of an atom, which determines the change that could make it true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The caller and its grants: other credentials change it.
    Identity,
    /// The method and time of the login: a new login changes it.
    Freshness,
    /// The binding of the credentials to a key: a scheme that binds them changes it.
    Binding,
    /// The origin of the request, and the settings of the service: no credentials change it.
    Context,
}

/// A set of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Groups(u8);

impl Groups {
    /// No group.
    pub const NONE: Self = Self(0);

    const fn of(group: Group) -> Self {
        Self(1 << group as u8)
    }

    /// The groups of both.
    pub const fn union(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Returns whether `group` is one of them.
    pub const fn contain(self, group: Group) -> bool {
        self.0 & Self::of(group).0 != 0
    }
}

impl Requirement {
    /// The caller is authenticated.
    pub const fn authenticated() -> Self {
        Self::Atom(Atom::Authenticated)
    }

    /// The caller was granted `scope`.
    pub const fn scope(scope: &'static str) -> Self {
        Self::Atom(Atom::Scope(Cow::Borrowed(scope)))
    }

    /// The caller holds `role`.
    pub const fn role(role: &'static str) -> Self {
        Self::Atom(Atom::Role(Cow::Borrowed(role)))
    }

    /// The caller holds `permission`.
    pub const fn permission(permission: &'static str) -> Self {
        Self::Atom(Atom::Permission(Cow::Borrowed(permission)))
    }

    /// The function at the path `check` returns `true`.
    pub const fn check(check: &'static str) -> Self {
        Self::Atom(Atom::Check(Cow::Borrowed(check)))
    }

    /// The decision point of the service allows the caller `action` on the service itself.
    pub const fn can(action: &'static str) -> Self {
        Self::Atom(Atom::Can {
            action: Cow::Borrowed(action),
            on: ObjectSource::Service,
        })
    }

    /// The decision point of the service allows the caller `action` on the object `on`.
    pub const fn can_on(action: &'static str, on: ResourcePattern) -> Self {
        Self::Atom(Atom::Can {
            action: Cow::Borrowed(action),
            on: ObjectSource::Path(on),
        })
    }

    /// The decision point of the service allows the caller `action` on the object of the type
    /// `resource_type` that the function at the path `function` returns.
    pub const fn can_by(
        action: &'static str,
        resource_type: &'static str,
        function: &'static str,
    ) -> Self {
        Self::Atom(Atom::Can {
            action: Cow::Borrowed(action),
            on: ObjectSource::Function {
                resource_type: Cow::Borrowed(resource_type),
                function: Cow::Borrowed(function),
            },
        })
    }

    /// The caller logged in with the authentication context class `acr`.
    pub const fn acr(acr: &'static str) -> Self {
        Self::Atom(Atom::Acr(Cow::Borrowed(acr)))
    }

    /// The caller logged in with the method `amr`.
    pub const fn amr(amr: &'static str) -> Self {
        Self::Atom(Atom::Amr(Cow::Borrowed(amr)))
    }

    /// The caller logged in within the last `age`.
    pub const fn max_age(age: Duration) -> Self {
        Self::Atom(Atom::MaxAge(age))
    }

    /// The caller proved possession of the key that its credentials are bound to (RFC 9449, RFC
    /// 8705).
    pub const fn sender_constrained() -> Self {
        Self::Atom(Atom::SenderConstrained)
    }

    /// The request comes from `network`.
    pub const fn network(network: Network) -> Self {
        Self::Atom(Atom::Network(network))
    }

    /// The operator turned the setting `name` on.
    pub const fn setting(name: &'static str) -> Self {
        Self::Atom(Atom::Setting(Cow::Borrowed(name)))
    }

    /// All of `parts`. An empty list is always true.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::All(Cow::Owned(parts.into_iter().collect()))
    }

    /// At least one of `parts`. An empty list is always false.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::Any(Cow::Owned(parts.into_iter().collect()))
    }

    /// The requirement that no caller meets.
    pub const fn never() -> Self {
        Self::Any(Cow::Borrowed(&[]))
    }

    /// The requirement that every caller meets.
    pub const fn always() -> Self {
        Self::All(Cow::Borrowed(&[]))
    }

    /// The parts of a list; none for an atom.
    pub const fn parts(&self) -> &[Self] {
        match self {
            Self::Atom(_) => &[],
            Self::All(parts) | Self::Any(parts) => match parts {
                Cow::Borrowed(parts) => parts,
                Cow::Owned(parts) => parts.as_slice(),
            },
        }
    }

    /// Evaluates the expression with the truth value that `atom` returns for each atom.
    ///
    /// Stops at the first part that determines the result.
    pub fn evaluate(&self, atom: &impl Fn(&Atom) -> Truth) -> Truth {
        match self {
            Self::Atom(leaf) => atom(leaf),
            Self::All(parts) => Truth::all(parts.iter().map(|part| part.evaluate(atom))),
            Self::Any(parts) => Truth::any(parts.iter().map(|part| part.evaluate(atom))),
        }
    }

    /// All atoms, in the order of the attribute.
    pub fn atoms(&self) -> Vec<&Atom> {
        let mut atoms = Vec::new();
        self.write_atoms(&mut atoms);
        atoms
    }

    fn write_atoms<'r>(&'r self, atoms: &mut Vec<&'r Atom>) {
        match self {
            Self::Atom(leaf) => atoms.push(leaf),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.write_atoms(atoms));
            }
        }
    }

    /// The groups of all atoms.
    #[doc(hidden)]
    pub const fn groups(&self) -> Groups {
        if let Self::Atom(leaf) = self {
            return Groups::of(leaf.group());
        }
        let mut groups = Groups::NONE;
        let mut rest = self.parts();
        // A constant function cannot use iterators yet.
        while let [first, others @ ..] = rest {
            groups = groups.union(first.groups());
            rest = others;
        }
        groups
    }

    /// Returns whether an atom depends on the client's address.
    pub(crate) const fn depends_on_network(&self) -> bool {
        if let Self::Atom(leaf) = self {
            return matches!(leaf, Atom::Network(_));
        }
        let mut rest = self.parts();
        while let [first, others @ ..] = rest {
            if first.depends_on_network() {
                return true;
            }
            rest = others;
        }
        false
    }

    /// Returns whether a caller with every grant can meet the requirement, with sender-constrained
    /// credentials (`by_bound`) or with others.
    pub const fn can_be_met(&self, by_bound: bool) -> bool {
        let is_all = match self {
            Self::Atom(leaf) => return by_bound || !matches!(leaf, Atom::SenderConstrained),
            Self::All(_) => true,
            Self::Any(_) => false,
        };
        let mut rest = self.parts();
        while let [first, others @ ..] = rest {
            if first.can_be_met(by_bound) != is_all {
                return !is_all;
            }
            rest = others;
        }
        is_all
    }

    /// The first result of `of` that is not `None`, over the atoms in the order of the attribute.
    pub fn find<'r, T>(&'r self, of: &impl Fn(&'r Atom) -> Option<T>) -> Option<T> {
        match self {
            Self::Atom(leaf) => of(leaf),
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(|part| part.find(of)),
        }
    }

    /// Returns whether `matches` accepts one of the atoms.
    pub fn contains(&self, matches: impl Fn(&Atom) -> bool) -> bool {
        self.find(&|atom| matches(atom).then_some(())).is_some()
    }

    /// The equivalent requirement while the setting `name` has this value. It does not contain the setting,
    /// nor the parts that the value decides.
    ///
    /// ```
    /// # extern crate auth_runtime_policy as auth_runtime;
    /// use auth_runtime::Requirement;
    ///
    /// let pull = Requirement::any([Requirement::setting("open"), Requirement::scope("pull")]);
    /// assert_eq!(pull.with_setting("open", true), Requirement::always());
    /// assert_eq!(pull.with_setting("open", false), Requirement::scope("pull"));
    /// ```
    #[must_use]
    pub fn with_setting(&self, name: &str, value: bool) -> Self {
        let (is_all, parts) = match self {
            Self::Atom(Atom::Setting(own)) if own == name => {
                return if value { Self::always() } else { Self::never() };
            }
            Self::Atom(_) => return self.clone(),
            Self::All(parts) => (true, parts),
            Self::Any(parts) => (false, parts),
        };
        let (neutral, decisive) = if is_all {
            (Self::always(), Self::never())
        } else {
            (Self::never(), Self::always())
        };
        let mut left = Vec::with_capacity(parts.len());
        for part in parts.iter().map(|part| part.with_setting(name, value)) {
            if part == decisive {
                return decisive;
            }
            if part != neutral {
                left.push(part);
            }
        }
        match (left.len(), is_all) {
            (1, _) => left.remove(0),
            (_, true) => Self::all(left),
            (_, false) => Self::any(left),
        }
    }

    /// The requirement with each atom replaced by the result of `change`.
    #[must_use]
    pub fn map(&self, change: &impl Fn(&Atom) -> Requirement) -> Self {
        let list = |parts: &[Self]| parts.iter().map(|part| part.map(change)).collect();
        match self {
            Self::Atom(atom) => change(atom),
            Self::All(parts) => Self::All(Cow::Owned(list(parts))),
            Self::Any(parts) => Self::Any(Cow::Owned(list(parts))),
        }
    }
}

impl Atom {
    /// The group of the atom.
    #[doc(hidden)]
    pub const fn group(&self) -> Group {
        match self {
            Self::Authenticated
            | Self::Scope(_)
            | Self::Role(_)
            | Self::Permission(_)
            | Self::Check(_)
            | Self::Can { .. } => Group::Identity,
            Self::Acr(_) | Self::Amr(_) | Self::MaxAge(_) => Group::Freshness,
            Self::SenderConstrained => Group::Binding,
            Self::Network(_) | Self::Setting(_) => Group::Context,
        }
    }

    /// Formats the atom as in `hide_unless`, where a second `=` would be hard to read.
    pub fn as_call(&self) -> String {
        match self.to_string().split_once(" = ") {
            Some((key, name)) if !key.contains('(') => format!("{key}({name})"),
            _ => self.to_string(),
        }
    }
}

/// Writes `parts`, separated by commas.
pub(crate) fn write_list(parts: &[Requirement], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{part}")?;
    }
    Ok(())
}

impl fmt::Display for Requirement {
    /// Formats the requirement as in the attribute.
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
    /// Formats the atom as in the attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticated => f.write_str("authenticated"),
            Self::Scope(scope) => write!(f, "scope = {scope:?}"),
            Self::Role(role) => write!(f, "role = {role:?}"),
            Self::Permission(permission) => write!(f, "permission = {permission:?}"),
            Self::Check(check) => write!(f, "check = {check}"),
            Self::Can {
                action,
                on: ObjectSource::Service,
            } => write!(f, "can = {action:?}"),
            Self::Can { action, on } => write!(f, "can({action:?}, {on})"),
            Self::Acr(acr) => write!(f, "acr = {acr:?}"),
            Self::Amr(amr) => write!(f, "amr = {amr:?}"),
            Self::MaxAge(age) => write!(f, "max_age = \"{}\"", Age(*age)),
            Self::SenderConstrained => f.write_str("sender_constrained"),
            Self::Network(network) => write!(f, "network = {:?}", network.name()),
            Self::Setting(name) => write!(f, "setting = {name:?}"),
        }
    }
}

/// A duration as in an attribute: in the largest unit that divides it.
struct Age(Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (unit, name) = [(86_400, "d"), (3_600, "h"), (60, "m")]
            .into_iter()
            .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit))
            .unwrap_or((1, "s"));
        write!(f, "{}{name}", seconds / unit)
    }
}
