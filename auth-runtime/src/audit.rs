//! What is told of a decision, and to whom.

#[cfg(feature = "metrics")]
pub(crate) mod count;
#[cfg(feature = "tracing")]
pub(crate) mod trace;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

pub(crate) use self::watch::Watch;
use crate::caller::Caller;
use crate::decision::Denial;
use crate::declaration::Declaration;
use crate::explanation::{Explanation, Rule};
use crate::facts::Facts;
use crate::policy::Policy;

/// What a service does with the record of a decision.
pub(crate) type Audit = Arc<dyn Fn(&AuditRecord<'_>) + Send + Sync>;

/// One decision, as it is told to the hook of
/// [`ProtectionSpaceBuilder::audit`](crate::ProtectionSpaceBuilder::audit).
///
/// It borrows everything, so it costs no allocation; what is to be kept has to be copied. Nothing in
/// it is a secret: there are no credentials, no fields and no target, only the route that matched.
/// Its `Debug` names nobody. [`caller`](Self::caller) does, and that is personal data.
#[derive(Clone, Copy)]
pub struct AuditRecord<'a> {
    pub(crate) declaration: Option<Declaration>,
    pub(crate) policy: Option<&'a Policy>,
    pub(crate) facts: Option<&'a Facts<'a>>,
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) scheme: Option<&'a str>,
    pub(crate) method: &'a Method,
    pub(crate) matched_path: Option<&'a str>,
    pub(crate) outcome: Outcome<'a>,
    pub(crate) rule: Rule,
    pub(crate) elapsed: Option<Duration>,
}

/// What became of a request, as its sender got to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// It went on to its handler.
    Granted,
    /// This is what the caller was told.
    Denied(&'a Denial),
    /// The caller was told what a path that was never there would tell, and this was kept back.
    Hidden(&'a Denial),
}

impl<'a> Outcome<'a> {
    /// `granted`, `hidden`, or the kind of denial that was told: `broken_request`,
    /// `unauthenticated`, `step_up`, `unbound_credentials`, `insufficient_scope`, `forbidden` or
    /// `unverifiable`.
    ///
    /// ```
    /// use auth_runtime::{Denial, Outcome};
    ///
    /// assert_eq!(Outcome::Denied(&Denial::Forbidden).name(), "forbidden");
    /// assert_eq!(Outcome::Hidden(&Denial::Forbidden).name(), "hidden");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Hidden(_) => "hidden",
            Self::Denied(denial) => match denial {
                Denial::BrokenRequest => "broken_request",
                Denial::Unauthenticated { .. } => "unauthenticated",
                Denial::StepUp { .. } => "step_up",
                Denial::UnboundCredentials => "unbound_credentials",
                Denial::InsufficientScope { .. } => "insufficient_scope",
                Denial::Forbidden => "forbidden",
                Denial::NotFound => "not_found",
                Denial::Unverifiable { .. } => "unverifiable",
            },
        }
    }

    /// The denial, told or kept back; `None` if there is none.
    pub const fn denial(self) -> Option<&'a Denial> {
        match self {
            Self::Granted => None,
            Self::Denied(denial) | Self::Hidden(denial) => Some(denial),
        }
    }
}

impl<'a> AuditRecord<'a> {
    /// The handler, and where it stands in the source. `None` on an unknown path, and for
    /// [`ProtectionSpace::authorize`](crate::ProtectionSpace::authorize), which knows of no handler.
    pub fn declaration(&self) -> Option<Declaration> {
        self.declaration
    }

    /// The policy that was decided; `None` on an unknown path.
    ///
    /// Of requests for unknown paths only those are told whose credentials are bad or could not be
    /// verified: nothing was decided about the others.
    pub fn policy(&self) -> Option<&'a Policy> {
        self.policy
    }

    /// What became of the request.
    pub fn outcome(&self) -> Outcome<'a> {
        self.outcome
    }

    /// The rule that spoke; of a hidden denial, as in [`Explanation::rule`].
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Who called; `None` if nobody looked (on a public handler), or nobody can say (rule 5).
    ///
    /// Credentials of a scheme that the policy does not accept count as none. The
    /// [`Identity`](crate::Identity) of a known caller is personal data, and its extensions are
    /// whatever the service put there: keep no more of it than the log is for.
    pub fn caller(&self) -> Option<&'a Caller> {
        self.caller
    }

    /// The name of the scheme whose credentials were sent, if some were.
    pub fn scheme(&self) -> Option<&'a str> {
        self.scheme
    }

    /// The request's method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The route that matched, such as `/repos/{owner}`; `None` if none did, or without axum.
    ///
    /// The target itself is not told: it may carry a token.
    pub fn matched_path(&self) -> Option<&'a str> {
        self.matched_path
    }

    /// How long it took to verify the credentials, to ask the checks and to decide; `None` where
    /// there was nothing to do, on public handlers, and for objects.
    pub fn elapsed(&self) -> Option<Duration> {
        self.elapsed
    }

    /// Which parts of the policy held and which did not; worked out when it is called. `None` where
    /// no requirement was looked at: on unknown paths, by rule 5, and for objects.
    pub fn explanation(&self) -> Option<Explanation> {
        Some(self.policy?.explain(self.facts?))
    }

    /// The handler's name, or what there is in place of one.
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    pub(crate) fn handler(&self) -> &'static str {
        match (self.declaration, self.policy) {
            (Some(declaration), _) => declaration.handler(),
            (None, Some(_)) => "authorize",
            (None, None) => "unknown path",
        }
    }
}

impl fmt::Debug for AuditRecord<'_> {
    /// Leaves the caller out: who it is, is personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditRecord")
            .field("declaration", &self.declaration)
            .field("policy", &self.policy)
            .field("outcome", &self.outcome)
            .field("rule", &self.rule)
            .field("scheme", &self.scheme)
            .field("method", &self.method)
            .field("matched_path", &self.matched_path)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}
