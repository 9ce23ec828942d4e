//! The decision about one object.

use auth_runtime_policy::scope::is_scope_token;

/// The decision of an engine about one [`Evaluation`](crate::Evaluation).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectDecision {
    is_allowed: bool,
    policy: Option<String>,
    reason: Option<String>,
    acr_values: Vec<String>,
}

impl ObjectDecision {
    /// The action is allowed.
    pub const fn allow() -> Self {
        Self {
            is_allowed: true,
            policy: None,
            reason: None,
            acr_values: Vec::new(),
        }
    }

    /// The action is not allowed.
    pub const fn deny() -> Self {
        Self {
            is_allowed: false,
            policy: None,
            reason: None,
            acr_values: Vec::new(),
        }
    }

    /// The action is not allowed, and a login with one of these authentication context classes would
    /// change that. The response is 401 with these `acr_values` (RFC 9470 §3) if nothing else is missing, and
    /// if an accepted scheme can request a login. Values that a challenge cannot contain are left out, and so
    /// are those after the 16th.
    pub fn deny_until_login<S: Into<String>>(acr_values: impl IntoIterator<Item = S>) -> Self {
        let acr_values = acr_values.into_iter().map(Into::into);
        Self {
            acr_values: acr_values
                .filter(|value| is_acr_value(value))
                .take(16)
                .collect(),
            ..Self::deny()
        }
    }

    /// Names the policies of the engine that determined the decision, for records.
    #[must_use]
    pub fn by_policy(self, policy: impl Into<String>) -> Self {
        Self {
            policy: Some(policy.into()),
            ..self
        }
    }

    /// Sets the reason that the caller receives in the body of a 403: that of the first `can` of the policy
    /// that is false. A caller from which the denial is concealed does not receive it. Control characters become
    /// spaces, and the text ends after 256 characters.
    ///
    /// ```
    /// use auth_runtime::objects::ObjectDecision;
    ///
    /// let denied = ObjectDecision::deny().with_reason("Only maintainers may publish.");
    /// assert_eq!(denied.reason(), Some("Only maintainers may publish."));
    /// ```
    #[must_use]
    pub fn with_reason(self, reason: &str) -> Self {
        let characters = reason.trim().chars().take(256);
        let reason: String = characters
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect();
        Self {
            reason: Some(reason).filter(|reason| !reason.is_empty()),
            ..self
        }
    }

    /// The reason for the caller, if the engine gives one.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Returns whether the action is allowed.
    pub const fn is_allowed(&self) -> bool {
        self.is_allowed
    }

    /// The policies of the engine that determined the decision, if the engine names them.
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// The authentication context classes of a login that would change a denial.
    pub fn acr_values(&self) -> &[String] {
        &self.acr_values
    }
}

fn is_acr_value(value: &str) -> bool {
    value.len() <= 256 && is_scope_token(value)
}

impl From<bool> for ObjectDecision {
    fn from(is_allowed: bool) -> Self {
        if is_allowed {
            Self::allow()
        } else {
            Self::deny()
        }
    }
}
