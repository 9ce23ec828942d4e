//! The authenticated caller and its grants.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth_runtime_policy::{Atom, Vocabulary};
use http::Extensions;

use crate::clock::Clock;
use crate::key_bytes::KeyBytes;

/// An authenticated caller: a subject, and the scopes, roles and permissions granted to it.
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
/// assert_eq!((alice.subject(), alice.issuer()), ("alice", None));
/// assert!(alice.has_scope("repo:read"));
/// assert!(!alice.has_scope("repo"));
/// assert_eq!(alice.extension::<Tenant>(), Some(&Tenant(7)));
/// ```
#[derive(Clone)]
pub struct Identity(Arc<Granted>);

#[derive(Clone)]
struct Granted {
    subject: Box<str>,
    issuer: Option<Arc<str>>,
    scopes: Names,
    roles: Names,
    permissions: Names,
    login: Login,
    expiry: Option<SystemTime>,
    sender_constrained: bool,
    application: Option<Identity>,
    extensions: Extensions,
}

/// The method and time of the caller's login, as far as they are known.
#[derive(Clone, Default)]
struct Login {
    acr: Option<Box<str>>,
    amr: Names,
    time: Option<SystemTime>,
    clock_skew: Duration,
}

/// A sorted set, so that lookups stay fast with many grants.
type Names = BTreeSet<Box<str>>;

impl Identity {
    /// Creates an identity with the given `subject` and without grants.
    pub fn new(subject: impl Into<String>) -> Self {
        Self(Arc::new(Granted {
            subject: subject.into().into_boxed_str(),
            issuer: None,
            scopes: Names::new(),
            roles: Names::new(),
            permissions: Names::new(),
            login: Login::default(),
            expiry: None,
            sender_constrained: false,
            application: None,
            extensions: Extensions::new(),
        }))
    }

    /// Sets the issuer within which the subject is unique (`iss`, RFC 7519 §4.1.1). Default: none.
    #[must_use]
    pub fn with_issuer(self, issuer: impl Into<Arc<str>>) -> Self {
        let issuer = issuer.into();
        self.change(|granted| granted.issuer = Some(issuer))
    }

    /// Grants `scopes`, in addition to those already granted. Each item is one scope: an item with a space,
    /// such as an undivided `scope` of a token response (RFC 6749 §3.3), meets no policy. `auth.toml` declares
    /// the scopes that policies may name, and does not limit those of callers.
    #[must_use]
    pub fn with_scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.change(|granted| granted.scopes.extend(names(scopes)))
    }

    /// Grants `roles`, in addition to those already granted.
    #[must_use]
    pub fn with_roles<S: Into<String>>(self, roles: impl IntoIterator<Item = S>) -> Self {
        self.change(|granted| granted.roles.extend(names(roles)))
    }

    /// Grants `permissions`, in addition to those already granted.
    #[must_use]
    pub fn with_permissions<S: Into<String>>(
        self,
        permissions: impl IntoIterator<Item = S>,
    ) -> Self {
        self.change(|granted| granted.permissions.extend(names(permissions)))
    }

    /// Removes all scopes. [`without_roles`](Self::without_roles) has an example.
    #[must_use]
    pub fn without_scopes(self) -> Self {
        self.change(|granted| granted.scopes.clear())
    }

    /// Removes all roles, such as those of the login before the present ones of a database are added
    /// ([`SchemeExt::with_user`](crate::SchemeExt::with_user)).
    ///
    /// ```
    /// use auth_runtime::Identity;
    ///
    /// // As the credentials have it: the user was an administrator when the token was issued.
    /// let ann = Identity::new("ann").with_scopes(["read"]).with_roles(["admin"]);
    /// let ann = ann.without_roles().with_roles(["editor"]);
    /// assert!(ann.has_role("editor") && !ann.has_role("admin"));
    /// assert!(ann.has_scope("read"));
    /// ```
    #[must_use]
    pub fn without_roles(self) -> Self {
        self.change(|granted| granted.roles.clear())
    }

    /// Removes all permissions.
    ///
    /// ```
    /// use auth_runtime::Identity;
    ///
    /// let ann = Identity::new("ann").with_roles(["editor"]).with_permissions(["refund"]);
    /// let ann = ann.without_permissions();
    /// assert!(ann.has_role("editor") && !ann.has_permission("refund"));
    /// ```
    #[must_use]
    pub fn without_permissions(self) -> Self {
        self.change(|granted| granted.permissions.clear())
    }

    /// Sets the authentication context class of the caller's login (`acr`, OpenID Connect Core §2).
    /// Default: unknown, which meets no `acr` requirement.
    #[must_use]
    pub fn with_acr(self, acr: impl Into<String>) -> Self {
        let acr = acr.into().into_boxed_str();
        self.change(|granted| granted.login.acr = Some(acr))
    }

    /// Adds the authentication methods of the caller's login (`amr`, RFC 8176) to those already
    /// set.
    #[must_use]
    pub fn with_amr<S: Into<String>>(self, methods: impl IntoIterator<Item = S>) -> Self {
        self.change(|granted| granted.login.amr.extend(names(methods)))
    }

    /// Sets the time of the caller's login (`auth_time`, OpenID Connect Core §2). Default: unknown,
    /// which meets no `max_age` requirement.
    #[must_use]
    pub fn with_auth_time(self, time: SystemTime) -> Self {
        self.change(|granted| granted.login.time = Some(time))
    }

    /// Sets the maximum error of the clock that produced the time given to
    /// [`with_auth_time`](Self::with_auth_time). Default: zero.
    ///
    /// A login may be older than `max_age` by this duration. A login time further in the future
    /// than this duration meets no `max_age` requirement.
    #[must_use]
    pub fn with_clock_skew(self, skew: Duration) -> Self {
        self.change(|granted| granted.login.clock_skew = skew)
    }

    /// Sets the time from which the credentials are not accepted any more (`exp`, RFC 7519 §4.1.4).
    /// Default: unknown.
    ///
    /// The protection space then rejects the credentials of any scheme, by its
    /// [clock](crate::ProtectionSpaceBuilder::clock). `Guard::expires` waits for that time.
    #[must_use]
    pub fn with_expiry(self, time: SystemTime) -> Self {
        self.change(|granted| granted.expiry = Some(time))
    }

    /// Marks the caller as having proved possession of the key that its credentials are bound to,
    /// with DPoP (RFC 9449) or a client certificate (RFC 8705). Default: no proof, so that a thief
    /// of the credentials could use them.
    #[must_use]
    pub fn with_sender_constraint(self) -> Self {
        self.change(|granted| granted.sender_constrained = true)
    }

    /// Sets the application that the caller works with. Default: none. A scheme sets it with
    /// [`SchemeExt::with_application`](crate::SchemeExt::with_application); this method is for other verifiers, and
    /// for tests.
    #[must_use]
    pub fn with_application(self, application: Identity) -> Self {
        self.change(|granted| granted.application = Some(application))
    }

    /// Attaches a value that the service defines, such as its user record.
    ///
    /// There is one value per type; a second one replaces the first.
    #[must_use]
    pub fn with_extension<T: Clone + Send + Sync + 'static>(self, value: T) -> Self {
        self.change(|granted| {
            granted.extensions.insert(value);
        })
    }

    /// Attaches the service's own user. The type need not be `Clone`, since clones of the identity share
    /// the user. There is one user per type; a second one replaces the first.
    ///
    /// A scheme adds it with [`SchemeExt::with_user`](crate::SchemeExt::with_user). This method is for verifiers
    /// that find the user together with the caller, and for tests.
    ///
    /// ```
    /// use auth_runtime::Identity;
    ///
    /// struct User {
    ///     email: String,
    /// }
    ///
    /// let ann = Identity::new("ann").with_user(User { email: "ann@shop.example".to_owned() });
    /// let email = ann.user::<User>().map(|user| &*user.email);
    /// assert_eq!(email, Some("ann@shop.example"));
    /// ```
    #[must_use]
    pub fn with_user<U: Send + Sync + 'static>(self, user: U) -> Self {
        self.with_extension(Arc::new(user))
    }

    /// The service's own user, of the type `U`. A handler that takes a parameter `CurrentUser<U>`
    /// always has one.
    pub fn user<U: Send + Sync + 'static>(&self) -> Option<&Arc<U>> {
        self.extension()
    }

    /// The name that the scheme assigned: a token's `sub`, a user name, or the name of a key.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The issuer that assigned the subject: the `iss` of a JWT, or the issuer that introspected tokens are
    /// required to have. `None` for schemes without issuers.
    ///
    /// A subject is unique within its issuer only (OpenID Connect Core §2): two issuers may give the
    /// same subject to two users. A service that trusts several compares both.
    pub fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// Returns whether `scope` was granted. Scopes are compared as a whole and case-sensitively
    /// (RFC 6749 §3.3).
    ///
    /// Scopes that imply `scope` according to `auth.toml` are not considered, unlike in attributes;
    /// [`meets_scope`](Self::meets_scope) considers them.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scopes.contains(scope)
    }

    /// Returns whether the caller holds `role`.
    /// [`meets_role`](Self::meets_role) also considers roles that imply it.
    pub fn has_role(&self, role: &str) -> bool {
        self.0.roles.contains(role)
    }

    /// Returns whether the caller holds `permission`.
    /// [`meets_permission`](Self::meets_permission) also considers permissions
    /// that imply it.
    pub fn has_permission(&self, permission: &str) -> bool {
        self.0.permissions.contains(permission)
    }

    /// The granted scopes, sorted.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scopes.iter().map(AsRef::as_ref)
    }

    /// The roles of the caller, sorted.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles.iter().map(AsRef::as_ref)
    }

    /// The permissions of the caller, sorted.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.0.permissions.iter().map(AsRef::as_ref)
    }

    /// Returns whether the caller meets `scope = "…"` in an attribute: it was granted that scope, or
    /// one that implies it by `vocabulary`.
    ///
    /// ```
    /// use auth_runtime::Identity;
    /// use auth_runtime::policy::{Vocabulary, VocabularyEntry};
    ///
    /// // const VOCABULARY: Vocabulary = auth_runtime::vocabulary!();
    /// const SCOPES: &[VocabularyEntry] = &[
    ///     VocabularyEntry::new("repo:read", "Read repositories", &[]),
    ///     VocabularyEntry::new("repo:write", "Change repositories", &["repo:read"]),
    /// ];
    /// const VOCABULARY: Vocabulary = Vocabulary::new(None, SCOPES, &[], &[], &[], &[]);
    ///
    /// let ann = Identity::new("ann").with_scopes(["repo:write"]);
    /// assert!(ann.meets_scope("repo:read", &VOCABULARY));
    /// assert!(!ann.has_scope("repo:read"), "it was not granted itself");
    /// ```
    pub fn meets_scope(&self, scope: &str, vocabulary: &Vocabulary) -> bool {
        vocabulary.meets_scope(scope, |granted| self.has_scope(granted))
    }

    /// Returns whether the caller meets `role = "…"`: it holds that role, or one that implies it by
    /// `vocabulary`.
    pub fn meets_role(&self, role: &str, vocabulary: &Vocabulary) -> bool {
        vocabulary.meets_role(role, |granted| self.has_role(granted))
    }

    /// Returns whether the caller meets `permission = "…"`: it holds that permission, or one that
    /// implies it by `vocabulary`.
    pub fn meets_permission(&self, permission: &str, vocabulary: &Vocabulary) -> bool {
        vocabulary.meets_permission(permission, |granted| self.has_permission(granted))
    }

    /// The authentication context class of the caller's login.
    pub fn acr(&self) -> Option<&str> {
        self.0.login.acr.as_deref()
    }

    /// The authentication methods of the caller's login, sorted.
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.0.login.amr.iter().map(AsRef::as_ref)
    }

    /// The time of the caller's login.
    pub fn auth_time(&self) -> Option<SystemTime> {
        self.0.login.time
    }

    /// The maximum error of the clock that produced the login time.
    pub fn clock_skew(&self) -> Duration {
        self.0.login.clock_skew
    }

    /// The time from which the credentials are no longer accepted, if it is known. JWTs and signed URLs have one, and so
    /// have introspected tokens whose response has `exp`. A session has none: its store does not report it to a
    /// request.
    pub fn expiry(&self) -> Option<SystemTime> {
        self.0.expiry
    }

    /// Returns whether the caller proved possession of the key that its credentials are bound to.
    pub fn is_sender_constrained(&self) -> bool {
        self.0.sender_constrained
    }

    /// The application that the caller works with, if the scheme requires its credentials
    /// ([`SchemeExt::with_application`](crate::SchemeExt::with_application)). Its grants are not those of the caller.
    ///
    /// ```
    /// use auth_runtime::{CheckRequest, Identity, requires};
    ///
    /// /// Accepts callers that work with an application of the service.
    /// async fn first_party(request: CheckRequest<'_>) -> bool {
    ///     let application = request.identity().application();
    ///     application.is_some_and(|application| application.has_role("first-party"))
    /// }
    ///
    /// #[requires(check = first_party)]
    /// async fn close_account() {}
    /// ```
    pub fn application(&self) -> Option<&Identity> {
        self.0.application.as_ref()
    }

    /// The attached value of type `T`.
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.extensions.get()
    }

    /// Returns whether the identity meets `atom`; `false` for atoms that need the time, the address,
    /// a setting, a check or a decision point.
    pub(crate) fn meets(&self, atom: &Atom) -> bool {
        match atom {
            Atom::Authenticated => true,
            Atom::Scope(scope) => self.has_scope(scope),
            Atom::Role(role) => self.has_role(role),
            Atom::Permission(permission) => self.has_permission(permission),
            Atom::Acr(acr) => self.acr() == Some(acr.as_ref()),
            Atom::Amr(method) => self.0.login.amr.contains(method.as_ref()),
            Atom::SenderConstrained => self.is_sender_constrained(),
            // The others need more than the identity. A new atom of an identity is not met without a line here.
            _ => false,
        }
    }

    /// Returns whether the expiry has come. The clock is read only if there is one.
    pub(crate) fn is_expired(&self, clock: &Clock) -> bool {
        self.expiry().is_some_and(|expiry| expiry <= clock.now())
    }

    /// Returns whether the login was at most `age` before `now`, within the clock skew. Logins of
    /// unknown time, and logins further in the future than the clock skew, are not.
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

    /// Returns whether the identity has no more than a subject, grants and an expiry: no issuer, login
    /// data, sender constraint, application or extensions.
    pub fn has_only_grants(&self) -> bool {
        let Login { acr, amr, time, .. } = &self.0.login;
        self.0.issuer.is_none()
            && acr.is_none()
            && amr.is_empty()
            && time.is_none()
            && !self.0.sender_constrained
            && self.0.application.is_none()
            && self.0.extensions.is_empty()
    }

    /// Writes all parts that an engine can read. Extensions are represented by the address of the identity.
    pub(crate) fn write_key(&self, key: &mut KeyBytes, with_extensions: bool) {
        let Granted {
            subject,
            issuer,
            scopes,
            roles,
            permissions,
            login,
            expiry,
            sender_constrained,
            application,
            extensions,
        } = &*self.0;
        let Login {
            acr,
            amr,
            time,
            clock_skew,
        } = login;
        key.text(subject);
        key.optional(issuer.as_deref());
        key.optional(acr.as_deref());
        for names in [scopes, roles, permissions, amr] {
            key.texts(names.iter().map(AsRef::as_ref));
        }
        key.flag(time.is_some());
        key.time(time.unwrap_or(SystemTime::UNIX_EPOCH));
        key.duration(*clock_skew);
        key.flag(expiry.is_some());
        key.time(expiry.unwrap_or(SystemTime::UNIX_EPOCH));
        key.flag(*sender_constrained);
        key.flag(application.is_some());
        if let Some(application) = application {
            application.write_key(key, with_extensions);
        }
        key.number(if with_extensions && !extensions.is_empty() {
            Arc::as_ptr(&self.0).addr()
        } else {
            0
        });
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
    /// Omits the attached values: the service defines them, and they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.0.subject)
            .field("issuer", &self.0.issuer)
            .field("scopes", &self.0.scopes)
            .field("roles", &self.0.roles)
            .field("permissions", &self.0.permissions)
            .field("acr", &self.0.login.acr)
            .field("amr", &self.0.login.amr)
            .field("auth_time", &self.0.login.time)
            .field("sender_constrained", &self.0.sender_constrained)
            .field("application", &self.0.application)
            .finish_non_exhaustive()
    }
}
