//! Who the caller turned out to be, and what was granted.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Extensions;

use crate::requirement::Atom;

/// A known caller: a subject, with the scopes, roles and permissions granted to it.
///
/// Cloning is cheap: clones share one allocation.
///
/// ```
/// use auth_runtime::Identity;
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Tenant(u32);
///
/// let alice = Identity::new("alice")
///     .with_scopes(["repo:read", "repo:write"])
///     .with_roles(["editor"])
///     .with_extension(Tenant(7));
///
/// assert_eq!(alice.subject(), "alice");
/// assert!(alice.has_scope("repo:read"));
/// assert!(!alice.has_scope("repo"));
/// assert_eq!(alice.extension::<Tenant>(), Some(&Tenant(7)));
/// ```
#[derive(Clone)]
pub struct Identity(Arc<Granted>);

#[derive(Clone)]
struct Granted {
    subject: Box<str>,
    scopes: Names,
    roles: Names,
    permissions: Names,
    login: Login,
    sender_constrained: bool,
    extensions: Extensions,
}

/// How and when the caller logged in, where that is known.
#[derive(Clone, Default)]
struct Login {
    acr: Option<Box<str>>,
    amr: Names,
    time: Option<SystemTime>,
    clock_skew: Duration,
}

/// Ordered, so that a check stays fast however many were granted.
type Names = BTreeSet<Box<str>>;

impl Identity {
    /// A caller named `subject` to whom nothing was granted yet.
    pub fn new(subject: impl Into<String>) -> Self {
        Self(Arc::new(Granted {
            subject: subject.into().into_boxed_str(),
            scopes: Names::new(),
            roles: Names::new(),
            permissions: Names::new(),
            login: Login::default(),
            sender_constrained: false,
            extensions: Extensions::new(),
        }))
    }

    /// Grants `scopes` besides those granted already.
    #[must_use]
    pub fn with_scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.change(|granted| granted.scopes.extend(names(scopes)))
    }

    /// Gives `roles` besides those given already.
    #[must_use]
    pub fn with_roles<S: Into<String>>(self, roles: impl IntoIterator<Item = S>) -> Self {
        self.change(|granted| granted.roles.extend(names(roles)))
    }

    /// Gives `permissions` besides those given already.
    #[must_use]
    pub fn with_permissions<S: Into<String>>(
        self,
        permissions: impl IntoIterator<Item = S>,
    ) -> Self {
        self.change(|granted| granted.permissions.extend(names(permissions)))
    }

    /// The authentication context class that the caller logged in by (`acr`, OpenID Connect Core
    /// §2). Default: unknown, which meets no `acr` requirement.
    #[must_use]
    pub fn with_acr(self, acr: impl Into<String>) -> Self {
        let acr = acr.into().into_boxed_str();
        self.change(|granted| granted.login.acr = Some(acr))
    }

    /// The methods that the caller logged in by (`amr`, RFC 8176), besides those given already.
    #[must_use]
    pub fn with_amr<S: Into<String>>(self, methods: impl IntoIterator<Item = S>) -> Self {
        self.change(|granted| granted.login.amr.extend(names(methods)))
    }

    /// When the caller logged in (`auth_time`, OpenID Connect Core §2). Default: unknown, which
    /// meets no `max_age` requirement.
    #[must_use]
    pub fn with_auth_time(self, time: SystemTime) -> Self {
        self.change(|granted| granted.login.time = Some(time))
    }

    /// How far the clock that [`with_auth_time`](Self::with_auth_time) was read from may be off.
    /// Default: not at all.
    ///
    /// A login counts as this much younger than it looks; one that lies further in the future than
    /// this is not believed.
    #[must_use]
    pub fn with_clock_skew(self, skew: Duration) -> Self {
        self.change(|granted| granted.login.clock_skew = skew)
    }

    /// The caller proved to hold the key that its credentials are bound to, as with DPoP (RFC 9449)
    /// or a client certificate (RFC 8705). Default: it did not, and whoever has the credentials can
    /// use them.
    #[must_use]
    pub fn with_sender_constraint(self) -> Self {
        self.change(|granted| granted.sender_constrained = true)
    }

    /// Attaches a value of the service's own, such as its user record.
    ///
    /// One value of each type; a second one replaces the first.
    #[must_use]
    pub fn with_extension<T: Clone + Send + Sync + 'static>(self, value: T) -> Self {
        self.change(|granted| {
            granted.extensions.insert(value);
        })
    }

    /// The name that the scheme gave: a token's `sub`, a user name, the name of a key.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Whether `scope` was granted. Scopes are compared whole and by case (RFC 6749 §3.3).
    ///
    /// What implies it by `auth.toml` is not looked up here, as it is for attributes:
    /// [`Vocabulary::has_scope`](crate::Vocabulary::has_scope) does that.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scopes.contains(scope)
    }

    /// Whether the caller holds `role`; see
    /// [`Vocabulary::has_role`](crate::Vocabulary::has_role) for those that imply it.
    pub fn has_role(&self, role: &str) -> bool {
        self.0.roles.contains(role)
    }

    /// Whether the caller holds `permission`; see
    /// [`Vocabulary::has_permission`](crate::Vocabulary::has_permission) for those that imply it.
    pub fn has_permission(&self, permission: &str) -> bool {
        self.0.permissions.contains(permission)
    }

    /// The scopes granted, in order.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scopes.iter().map(AsRef::as_ref)
    }

    /// The roles held, in order.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles.iter().map(AsRef::as_ref)
    }

    /// The permissions held, in order.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.0.permissions.iter().map(AsRef::as_ref)
    }

    /// The authentication context class that the caller logged in by.
    pub fn acr(&self) -> Option<&str> {
        self.0.login.acr.as_deref()
    }

    /// The methods that the caller logged in by, in order.
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.0.login.amr.iter().map(AsRef::as_ref)
    }

    /// When the caller logged in.
    pub fn auth_time(&self) -> Option<SystemTime> {
        self.0.login.time
    }

    /// How far the clock may be off that the time of the login was read from.
    #[cfg(feature = "sessions")]
    pub(crate) fn clock_skew(&self) -> Duration {
        self.0.login.clock_skew
    }

    /// Whether the caller proved to hold the key that its credentials are bound to.
    pub fn is_sender_constrained(&self) -> bool {
        self.0.sender_constrained
    }

    /// The attached value of type `T`.
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.extensions.get()
    }

    /// Whether `atom` holds of this caller, as far as the identity alone can tell.
    pub(crate) fn meets(&self, atom: Atom) -> bool {
        match atom {
            Atom::Authenticated => true,
            Atom::Scope(scope) => self.has_scope(scope),
            Atom::Role(role) => self.has_role(role),
            Atom::Permission(permission) => self.has_permission(permission),
            Atom::Acr(acr) => self.acr() == Some(acr),
            Atom::Amr(method) => self.0.login.amr.contains(method),
            Atom::SenderConstrained => self.is_sender_constrained(),
            Atom::MaxAge(_) | Atom::Check(_) | Atom::Network(_) => false,
        }
    }

    /// Whether the login is at `now` no older than `age`. One without a time is not, and neither
    /// is one from the future.
    pub(crate) fn logged_in_within(&self, age: Duration, now: SystemTime) -> bool {
        let Login {
            time, clock_skew, ..
        } = self.0.login;
        match time.map(|time| now.duration_since(time)) {
            Some(Ok(elapsed)) => elapsed <= age.saturating_add(clock_skew),
            Some(Err(ahead)) => ahead.duration() <= clock_skew,
            None => false,
        }
    }

    /// Whether there is more to this caller than a subject and what was granted to it.
    #[cfg(feature = "secret-urls")]
    pub(crate) fn says_more_than_grants(&self) -> bool {
        let Login { acr, amr, time, .. } = &self.0.login;
        acr.is_some()
            || !amr.is_empty()
            || time.is_some()
            || self.0.sender_constrained
            || !self.0.extensions.is_empty()
    }

    fn change(mut self, change: impl FnOnce(&mut Granted)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

fn names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> impl Iterator<Item = Box<str>> {
    names.into_iter().map(|name| name.into().into_boxed_str())
}

impl fmt::Debug for Identity {
    /// Leaves the attached values out: they are the service's own, and may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.0.subject)
            .field("scopes", &self.0.scopes)
            .field("roles", &self.0.roles)
            .field("permissions", &self.0.permissions)
            .field("acr", &self.0.login.acr)
            .field("amr", &self.0.login.amr)
            .field("auth_time", &self.0.login.time)
            .field("sender_constrained", &self.0.sender_constrained)
            .finish_non_exhaustive()
    }
}
