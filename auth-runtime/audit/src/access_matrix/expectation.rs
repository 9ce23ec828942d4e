//! The expected response to a persona: from the policy alone, independently of the router.

use std::borrow::Cow;

use auth_runtime_axum::inspection::Responder;
use auth_runtime_core::adapter::{Head, RequestView, Space, Target};
use auth_runtime_core::{
    AccessRow, Caller, Decision, Denial, DenialDetails, Explanation, HandlerLocation, RouteKind,
};
use auth_runtime_policy::Policy;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, StatusCode};

use super::deadline::NoResponse;
use super::decisions::{ANY_LOGIN, MAX_RESULTS, decisions_of};
use super::target;

/// The expected response of one row to one persona.
pub(super) struct Expectation {
    /// One for each decision that the checks and the decision point can lead to. `None` if there are too many
    /// combinations.
    possible: Option<Vec<Expected>>,
    /// The fulfilled parts of the policy, as far as they are known beforehand.
    reason: Option<String>,
}

enum Expected {
    Granted,
    Denied {
        denial: Denial,
        shown: Shown,
    },
    /// Denied with the response of an unknown path.
    Concealed,
    /// An unknown path: the fallback responds, or the space in its place.
    Unknown {
        shown: Option<Shown>,
    },
}

/// The visible parts of a denial.
#[derive(PartialEq)]
struct Shown {
    status: StatusCode,
    /// The scheme of each line of `WWW-Authenticate`. The parameters may vary between responses.
    challenges: Vec<String>,
}

/// The actual response.
pub(super) struct Seen<'a> {
    pub(super) response: Result<(StatusCode, &'a HeaderMap), NoResponse>,
    pub(super) responder: Option<&'a Responder>,
}

impl Expectation {
    pub(super) fn new(
        space: &Space,
        row: &AccessRow,
        caller: &Caller,
        head: Head<'_>,
        something_is_hidden: bool,
    ) -> Self {
        let policy = row.policy();
        let policy = policy.filter(|_| row.kind() != RouteKind::Fallback);
        let policy = policy.map(|policy| {
            if row.is_hidden() {
                policy.on_hidden_path()
            } else {
                Cow::Borrowed(policy)
            }
        });
        let target = policy.as_deref().map_or(Target::Unknown, Target::of);
        let authentication = space.authentication_if(caller, head, target);
        let shown = |policy: Option<&Policy>, denial: &Denial| {
            let details = match policy {
                Some(policy) => DenialDetails::of_policy(denial, policy, &[]),
                None => DenialDetails::of_unknown_path(denial),
            };
            let response = space.respond(details, &authentication, RequestView::Head(head));
            Shown::of(response.status(), response.headers())
        };
        let Some(policy) = policy.as_deref() else {
            let authenticates =
                row.location().is_none() || something_is_hidden || space.challenges_unknown_paths();
            let denial = space.deny_unknown_path(&authentication);
            let denial = denial.filter(|_| authenticates);
            let shown = denial.map(|denial| shown(None, &denial));
            return Self {
                possible: Some(vec![Expected::Unknown { shown }]),
                reason: None,
            };
        };
        let values = target::values_in(row, head.routed_uri.path());
        let parameters: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut context = space.context(policy, &authentication, head);
        if let Some(context) = &mut context {
            space.add_object_scopes(policy, context, Some(&parameters));
        }
        let decisions = match &context {
            _ if policy.ignores_credentials() => Some(vec![Decision::Grant]),
            Some(context) => decisions_of(policy, context),
            // Rule 5. The caller is ambiguous, so no caller meets `hide_unless`.
            None if policy.is_hidden() => Some(vec![Decision::Conceal]),
            None => Some(vec![Decision::Deny(Denial::InvalidRequest)]),
        };
        let expected = |decision| match decision {
            Decision::Grant => Expected::Granted,
            Decision::Deny(denial) => {
                let shown = shown(Some(policy), &denial);
                Expected::Denied { denial, shown }
            }
            _ => Expected::Concealed,
        };
        Self {
            possible: decisions.map(|decisions| decisions.into_iter().map(expected).collect()),
            reason: context
                .as_ref()
                .map(|context| Explanation::of(policy, context).to_string()),
        }
    }

    /// Describes the mismatch with the expected response, if any.
    pub(super) fn difference(&self, row: &AccessRow, seen: &Seen<'_>) -> Option<String> {
        let Some(possible) = &self.possible else {
            return Some(format!(
                "the policy has more than {MAX_RESULTS} combinations of results of checks and decisions \
                 about objects, too many to compare"
            ));
        };
        let mut problems = Vec::new();
        for expected in possible {
            match expected.contradiction(row, seen) {
                Some(problem) => problems.push(problem),
                None => return None,
            }
        }
        problems.dedup();
        let says: Vec<_> = possible.iter().map(Expected::shown).collect();
        let reason = self.reason.as_ref();
        let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
        Some(format!(
            "the policy {}{reason}, but {}",
            says.join(" or "),
            problems.join(", or else ")
        ))
    }
}

impl Expected {
    fn contradiction(&self, row: &AccessRow, seen: &Seen<'_>) -> Option<String> {
        let (code, headers) = match seen.response {
            Ok(response) => response,
            Err(silence) => return self.contradiction_of_silence(row, silence, seen.responder),
        };
        let status = code.as_u16();
        let Some(responder) = seen.responder else {
            return Some(format!(
                "a layer, or a router around this one, responded with {status}"
            ));
        };
        let answering = match responder {
            Responder::Entered { location }
            | Responder::Handler { location, .. }
            | Responder::Denied { location, .. }
            | Responder::Concealed { location, .. } => Some(*location),
            Responder::NotRouted { fallback } => *fallback,
        };
        if answering.as_ref() != row.location() {
            let other = answering.as_ref().map_or(
                "the fallback for unknown paths".to_owned(),
                HandlerLocation::to_string,
            );
            return Some(format!("{other} responded with {status}"));
        }
        match (self, responder) {
            (Self::Granted, Responder::Handler { status: own, .. }) => {
                // Otherwise a layer could deny a granted request unnoticed.
                (is_denial(code) && code != *own).then(|| {
                    let own = own.as_u16();
                    format!("a layer changed the handler's {own} to {status}")
                })
            }
            (Self::Granted, Responder::Entered { .. }) => is_denial(code)
                .then(|| format!("a layer responded with {status} before the handler finished")),
            (Self::Concealed, Responder::Concealed { .. }) => None,
            (Self::Unknown { shown: None }, Responder::NotRouted { .. }) => {
                // The fallback was not called, but the space responded.
                let is_challenged = headers.contains_key(WWW_AUTHENTICATE);
                is_challenged.then(|| format!("the response was {status} with a challenge"))
            }
            (Self::Unknown { shown: Some(shown) }, Responder::NotRouted { .. }) => {
                shown.contradiction(code, headers)
            }
            (Self::Denied { denial, shown }, Responder::Denied { denial: given, .. })
                if is_same(denial, given) =>
            {
                shown.contradiction(code, headers)
            }
            (_, Responder::Handler { .. } | Responder::Entered { .. }) => {
                Some(format!("the request was granted: {status}"))
            }
            (_, Responder::Denied { denial, .. }) => {
                Some(format!("the response was {}", named(denial)))
            }
            (_, Responder::Concealed { .. }) => Some(format!(
                "the response was that of an unknown path: {status}"
            )),
            (_, Responder::NotRouted { .. }) => Some(format!("the response was {status}")),
        }
    }

    /// Returns the mismatch of a missing response. A request that reached the handler was granted,
    /// even if the handler did not finish.
    fn contradiction_of_silence(
        &self,
        row: &AccessRow,
        silence: NoResponse,
        responder: Option<&Responder>,
    ) -> Option<String> {
        let has_begun = matches!(
            responder,
            Some(Responder::Entered { location }) if Some(location) == row.location()
        );
        match (self, has_begun) {
            (Self::Granted, true) => None,
            (_, true) => Some(format!("the request was granted, and {silence}")),
            (_, false) => Some(silence.to_string()),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Granted => "grants".to_owned(),
            Self::Denied { denial, shown } if shown.status != denial.status() => {
                format!(
                    "denies with {}, as {}",
                    named(denial),
                    shown.status.as_u16()
                )
            }
            Self::Denied { denial, .. } => format!("denies with {}", named(denial)),
            Self::Concealed => "conceals the route".to_owned(),
            Self::Unknown { shown: None } => "grants".to_owned(),
            Self::Unknown { shown: Some(shown) } => {
                format!(
                    "is not evaluated, and the response should be {}",
                    shown.status.as_u16()
                )
            }
        }
    }
}

impl Shown {
    fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let lines = headers.get_all(WWW_AUTHENTICATE).iter();
        let schemes = lines.map(|line| {
            let line = String::from_utf8_lossy(line.as_bytes());
            line.split(' ').next().unwrap_or_default().to_owned()
        });
        Self {
            status,
            challenges: schemes.collect(),
        }
    }

    fn contradiction(&self, status: StatusCode, headers: &HeaderMap) -> Option<String> {
        let given = Self::of(status, headers);
        if given == *self {
            return None;
        }
        // The matrix does not know the space of a route.
        Some(format!(
            "a layer changed {self} to {given}, or the route has another protection space than the matrix"
        ))
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        if self.challenges.is_empty() {
            f.write_str(" without a challenge")
        } else {
            write!(f, " with a challenge of {}", self.challenges.join(", "))
        }
    }
}

/// Returns whether a client of a granted request would take the status for a denial.
fn is_denial(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    )
}

/// Returns whether two denials are equal, except for details of the credentials that a persona does
/// not state, and for the reason and the login that a decision point names.
fn is_same(expected: &Denial, given: &Denial) -> bool {
    match (expected, given) {
        (
            Denial::Unauthenticated { rejection, scopes },
            Denial::Unauthenticated {
                rejection: given_rejection,
                scopes: given_scopes,
            },
        ) => rejection.is_some() == given_rejection.is_some() && scopes == given_scopes,
        (Denial::Unverifiable { .. }, Denial::Unverifiable { .. })
        | (Denial::Forbidden { .. }, Denial::Forbidden { .. }) => true,
        (
            Denial::StepUp {
                acr_values,
                max_age,
            },
            Denial::StepUp {
                max_age: given_age, ..
            },
        ) if acr_values.iter().any(|class| class == ANY_LOGIN) => max_age == given_age,
        _ => expected == given,
    }
}

/// Returns a short text that distinguishes a denial from others of the same status.
fn named(denial: &Denial) -> String {
    let status = denial.status().as_u16();
    match denial {
        Denial::Unauthenticated {
            rejection: None, ..
        } => format!("{status} without credentials"),
        Denial::Unauthenticated { .. } => format!("{status} with rejected credentials"),
        Denial::StepUp {
            acr_values,
            max_age,
        } => {
            let acr = acr_values.join(" ");
            let acr = (!acr.is_empty()).then(|| format!("acr {acr:?}"));
            let max_age = max_age.map(|age| format!("max_age {age:?}"));
            let parts: Vec<_> = acr.into_iter().chain(max_age).collect();
            format!("{status} to log in again ({})", parts.join(", "))
        }
        Denial::SenderConstraintRequired => format!("{status} to bind the credentials to a key"),
        Denial::InsufficientScope { scopes, .. } => {
            format!("{status} without the scopes {:?}", scopes.join(" "))
        }
        _ => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn denials_of_one_status_are_distinguished() {
        let unauthenticated = |rejection| Denial::Unauthenticated {
            rejection,
            scopes: Vec::new(),
        };
        for (denial, expected) in [
            (unauthenticated(None), "401 without credentials"),
            (
                unauthenticated(Some(auth_runtime_core::Rejection::Expired)),
                "401 with rejected credentials",
            ),
            (
                Denial::StepUp {
                    acr_values: vec!["gold".into(), "platinum".into()],
                    max_age: None,
                },
                "401 to log in again (acr \"gold platinum\")",
            ),
            (
                Denial::StepUp {
                    acr_values: Vec::new(),
                    max_age: Some(Duration::from_secs(900)),
                },
                "401 to log in again (max_age 900s)",
            ),
            (
                Denial::StepUp {
                    acr_values: vec!["gold".into()],
                    max_age: Some(Duration::from_secs(900)),
                },
                "401 to log in again (acr \"gold\", max_age 900s)",
            ),
            (
                Denial::SenderConstraintRequired,
                "401 to bind the credentials to a key",
            ),
            (
                Denial::InsufficientScope {
                    scopes: vec!["a".into(), "b".into()],
                    has_token_server: false,
                },
                "403 without the scopes \"a b\"",
            ),
            (Denial::FORBIDDEN, "403"),
            (Denial::NotFound, "404"),
            (Denial::Unverifiable { retry_after: None }, "503"),
        ] {
            assert_eq!(named(&denial), expected);
        }
    }

    #[test]
    fn only_unpredictable_parts_may_differ() {
        let unauthenticated = |rejection, scopes| Denial::Unauthenticated { rejection, scopes };
        let insufficient = |scope: &'static str| Denial::InsufficientScope {
            scopes: vec![scope.into()],
            has_token_server: false,
        };
        let forbidden = |reason: &'static str| Denial::Forbidden {
            reason: Some(reason.into()),
        };
        let step_up = |class: &'static str, seconds: Option<u64>| Denial::StepUp {
            acr_values: vec![class.into()],
            max_age: seconds.map(Duration::from_secs),
        };
        let expired = Some(auth_runtime_core::Rejection::Expired);
        let invalid = Some(auth_runtime_core::Rejection::Invalid);
        for (one, other, expected) in [
            (
                unauthenticated(expired, vec!["a".into()]),
                unauthenticated(invalid, vec!["a".into()]),
                true,
            ),
            (
                unauthenticated(expired, vec!["a".into()]),
                unauthenticated(None, vec!["a".into()]),
                false,
            ),
            (
                unauthenticated(None, vec!["a".into()]),
                unauthenticated(None, vec!["b".into()]),
                false,
            ),
            (Denial::FORBIDDEN, Denial::NotFound, false),
            (Denial::FORBIDDEN, forbidden("only on weekdays"), true),
            (step_up(ANY_LOGIN, None), step_up("gold", None), true),
            (step_up(ANY_LOGIN, None), step_up("gold", Some(60)), false),
            (step_up("gold", None), step_up("platinum", None), false),
            (insufficient("a"), insufficient("b"), false),
        ] {
            assert_eq!(is_same(&one, &other), expected, "{one:?} {other:?}");
        }
    }
}
