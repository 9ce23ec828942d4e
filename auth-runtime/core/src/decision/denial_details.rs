//! A denial with the words of its policy, for the body of the response.

use auth_runtime_policy::{Atom, Policy};
use http::StatusCode;

use crate::decision::Denial;
use crate::decision::denial_body::detail;

/// A denial, as the function of [`ProtectionSpaceBuilder::render`](crate::ProtectionSpaceBuilder::render)
/// receives it: the data for an own body.
///
/// It contains no data of the caller. On unknown and on hidden paths it is the same: the policy, its text and
/// its requirements are part of disclosed denials only.
///
/// ```
/// use auth_runtime::decision::{DenialBody, DenialDetails};
/// use http::HeaderValue;
///
/// /// `403: Only members of the team can see this report.`
/// fn render(denial: &DenialDetails<'_>) -> DenialBody {
///     let text = format!("{}: {}", denial.status().as_u16(), denial.message());
///     let plain = HeaderValue::from_static("text/plain; charset=utf-8");
///     DenialBody::new(plain, text)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DenialDetails<'a> {
    denial: &'a Denial,
    /// `None` on unknown and on hidden paths.
    policy: Option<&'a Policy>,
    missing: &'a [Atom],
}

impl<'a> DenialDetails<'a> {
    /// The details of a denial on an unknown or on a hidden path.
    pub fn of_unknown_path(denial: &'a Denial) -> Self {
        Self {
            denial,
            policy: None,
            missing: &[],
        }
    }

    /// The details of a disclosed denial by `policy`, or by the handler that has it.
    pub fn of_policy(denial: &'a Denial, policy: &'a Policy, missing: &'a [Atom]) -> Self {
        Self {
            denial,
            policy: Some(policy),
            missing,
        }
    }

    /// The denial: its kind, and the data of its challenges.
    pub fn denial(&self) -> &'a Denial {
        self.denial
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.denial.status()
    }

    /// The sentence of the built-in bodies: the [reason](Denial::Forbidden) of the decision point, or else the
    /// [text of the policy](Self::says), or else a sentence about the status.
    pub fn message(&self) -> &'a str {
        self.own_message().unwrap_or_else(|| detail(self.denial))
    }

    /// The same, without the sentence about the status.
    pub(crate) fn own_message(&self) -> Option<&'a str> {
        let reason = match self.denial {
            Denial::Forbidden { reason } => reason.as_deref(),
            _ => None,
        };
        reason.or(self.says())
    }

    /// The text of the policy: `says = "…"`, for a 401 without credentials and for a 403. `None` for denials
    /// with another cause, such as invalid credentials, an old login or an outage.
    pub fn says(&self) -> Option<&'a str> {
        let is_of_policy = matches!(
            self.denial,
            Denial::Unauthenticated {
                rejection: None,
                ..
            } | Denial::InsufficientScope { .. }
                | Denial::Forbidden { .. }
        );
        self.policy
            .filter(|_| is_of_policy)
            .and_then(Policy::denial_text)
    }

    /// The smallest set of requirements that the caller does not meet and that would lead to a grant, in the
    /// order of the attribute. For `insufficient_scope` these are scopes, for a new login its class,
    /// methods and age. Empty for other causes, and for an object that the handler denied.
    ///
    /// A check that did not run counts as missing. The names of roles, networks, settings and checks may be
    /// internal: a body for the public names only some of them.
    pub fn missing(&self) -> &'a [Atom] {
        self.missing
    }

    /// The policy; `None` on unknown and on hidden paths.
    pub(crate) fn policy(&self) -> Option<&'a Policy> {
        self.policy
    }
}
