//! A row of the access table.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::Location;

use auth_runtime_policy::Policy;
use http::Method;

use crate::handler_location::HandlerLocation;
use crate::route_kind::RouteKind;

/// One row of an [`AccessTable`](crate::AccessTable): a method of a path, and its access policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRow {
    kind: RouteKind,
    path: String,
    method: Option<Method>,
    access: RouteAccess,
    is_hidden: bool,
    covers: Vec<String>,
}

/// The kind of code that a row's policy guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EndpointKind {
    /// A handler.
    Handler,
    /// A service. It may have routes of its own, which are in no table.
    Service,
    /// An axum `Router` as a service. Its routes are in no table.
    Router,
}

/// The policy of a row, or the reason for its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteAccess {
    /// A policy.
    Guarded {
        /// The policy.
        policy: &'static Policy,
        /// The handler or service with the policy.
        location: HandlerLocation,
        /// The kind of code behind the policy.
        endpoint_kind: EndpointKind,
    },
    /// No policy.
    Unguarded {
        /// The reason that the router was merged with.
        reason: &'static str,
        /// The call that merged the router.
        written: &'static Location<'static>,
    },
}

impl AccessRow {
    /// Creates a row for a route that is mounted on `full_path`.
    #[doc(hidden)]
    pub fn new(
        kind: RouteKind,
        full_path: &str,
        method: Option<Method>,
        access: RouteAccess,
    ) -> Self {
        let path = match kind {
            RouteKind::Route | RouteKind::Unguarded => full_path.to_owned(),
            _ if full_path.ends_with('/') => format!("{full_path}*"),
            _ => format!("{full_path}/*"),
        };
        Self {
            kind,
            path,
            method,
            access,
            is_hidden: false,
            covers: Vec::new(),
        }
    }

    /// Sets the guarded paths that the row covers.
    pub(super) fn cover(&mut self, paths: BTreeSet<String>) {
        self.covers = paths.into_iter().collect();
    }

    /// Returns the row for a path that is hidden: its denials are concealed as well.
    pub fn on_hidden_path(mut self) -> Self {
        self.is_hidden = self.public_reason().is_none();
        self
    }

    /// The kind of the row.
    pub fn kind(&self) -> RouteKind {
        self.kind
    }

    /// The path as it is matched, with all its prefixes. It ends in `/*` if it includes all paths
    /// below, which a route of axum never does.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The method. `None` for all methods that no other row of the path has. In axum, `GET` also
    /// responds to `HEAD`, unless the path has a row for it.
    pub fn method(&self) -> Option<&Method> {
        self.method.as_ref()
    }

    /// The policy. `None` for an unguarded router. The names of a vocabulary are written out in it.
    pub fn policy(&self) -> Option<&Policy> {
        match &self.access {
            RouteAccess::Guarded { policy, .. } => Some(policy),
            RouteAccess::Unguarded { .. } => None,
        }
    }

    /// The access policy as written in the source: [`Policy::written`], or the reason of an
    /// unguarded router.
    pub fn written(&self) -> Cow<'_, str> {
        match &self.access {
            RouteAccess::Guarded { policy, .. } => policy.written(),
            unguarded => Cow::Owned(unguarded.to_string()),
        }
    }

    /// The location of the policy. `None` for an unguarded router.
    pub fn location(&self) -> Option<&HandlerLocation> {
        match &self.access {
            RouteAccess::Guarded { location, .. } => Some(location),
            RouteAccess::Unguarded { .. } => None,
        }
    }

    /// Returns whether denials are concealed: by the policy of the row, or by that of another
    /// method of the path. A public row is never hidden.
    pub fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    /// The guarded paths that this row is an open pattern for: it responds to percent-encoded
    /// spellings of them, for callers that their policies deny. Sorted by path.
    ///
    /// axum matches a path as it was sent. A public `/x/{*path}` beside a guarded `/x/secret`
    /// therefore responds to `/x/%73ecret`, and its handler receives `secret`. If both handlers
    /// serve the same files, the policy is ineffective.
    ///
    /// A row is listed as open if all callers are allowed, or more callers than the guarded path allows. A
    /// policy that allows some other callers counts only where a wildcard, a subtree or a fallback takes the
    /// segment: a single parameter names an object of its own kind, as in `/repos/{repo}` beside
    /// `/repos/search`. A fallback counts only if it is a service, and the guarded path is one or has a
    /// wildcard: most fallback handlers only respond 404. `%2F` is not a spelling of `/`.
    pub fn covers(&self) -> &[String] {
        &self.covers
    }

    /// The kind of code that responds. `None` for an unguarded router.
    pub fn endpoint_kind(&self) -> Option<EndpointKind> {
        match self.access {
            RouteAccess::Guarded { endpoint_kind, .. } => Some(endpoint_kind),
            RouteAccess::Unguarded { .. } => None,
        }
    }

    /// The reason for allowing all callers. `None` for a row that is not public, and for an
    /// unguarded router.
    pub fn public_reason(&self) -> Option<&str> {
        self.policy().and_then(Policy::public_reason)
    }

    /// The reason of an unguarded router. `None` for other rows.
    pub fn unguarded_reason(&self) -> Option<&'static str> {
        match self.access {
            RouteAccess::Guarded { .. } => None,
            RouteAccess::Unguarded { reason, .. } => Some(reason),
        }
    }

    /// The source file of the handler, or of the call of `merge_unguarded`, as it was passed to the
    /// compiler.
    pub fn file(&self) -> &'static str {
        match &self.access {
            RouteAccess::Guarded { location, .. } => location.file(),
            RouteAccess::Unguarded { written, .. } => written.file(),
        }
    }

    /// The line in that file.
    pub fn line(&self) -> u32 {
        match &self.access {
            RouteAccess::Guarded { location, .. } => location.line(),
            RouteAccess::Unguarded { written, .. } => written.line(),
        }
    }

    /// The method, as displayed.
    pub fn method_shown(&self) -> &str {
        match (&self.method, self.kind) {
            (Some(method), _) => method.as_str(),
            (None, RouteKind::Fallback) => "fallback",
            (None, RouteKind::MethodNotAllowed) => "405",
            (None, _) => "any",
        }
    }

    /// The policy, or the reason for its absence.
    #[doc(hidden)]
    pub fn access(&self) -> &RouteAccess {
        &self.access
    }

    /// The sort key of the row. Rows with the same place are ordered by everything that is
    /// displayed, so that the order of the routes in the program does not matter.
    pub(super) fn place(&self) -> impl Ord + use<'_> {
        let method = self.method.as_ref().map(Method::as_str);
        let handler = self.location().map(HandlerLocation::handler);
        (
            self.path(),
            self.kind,
            // Capitals sort before it.
            method.unwrap_or("any"),
            self.access.to_string(),
            handler,
            (self.file(), self.line()),
        )
    }
}

impl fmt::Display for RouteAccess {
    /// Writes the access, with the names of a vocabulary written out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guarded { policy, .. } => policy.fmt(f),
            Self::Unguarded { reason, .. } => write!(f, "unguarded(reason = {reason:?})"),
        }
    }
}

impl EndpointKind {
    /// The word for it in the access table and in `access.lock`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Service => "service",
            Self::Router => "router",
        }
    }
}
