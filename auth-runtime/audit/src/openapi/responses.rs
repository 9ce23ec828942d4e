//! The responses to denied callers.

use auth_runtime_policy::{Atom, Group, ObjectSource, Policy, Requirement, Truth};
use serde_json::{Value, json};

use super::document::{Object, change_object, here, text};
use super::security::{may_ask_who, sufficient};

/// The readers of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Public,
    /// Readers with access to the whole table.
    Insiders,
}

/// The inputs of a response, besides the policy.
#[derive(Clone, Copy)]
pub(super) struct Circumstances {
    pub(super) audience: Audience,
    pub(super) is_hidden: bool,
    /// True if the response to anonymous callers on unknown paths is 401.
    pub(super) challenges_unknown: bool,
    pub(super) can_ask_for_binding: bool,
    /// True if an accepted scheme binds credentials to a key, with or without a challenge.
    pub(super) can_bind: bool,
    /// True if an accepted scheme is an OAuth scheme.
    pub(super) is_oauth: bool,
    /// True if an accepted scheme has a token server: missing scopes are a 401 for its callers.
    pub(super) has_token_server: bool,
    /// True if all accepted schemes have one.
    pub(super) has_only_token_servers: bool,
    /// True if the decision point names scopes of tokens for `can`.
    pub(super) has_object_scopes: bool,
}

/// A response to a denied caller.
pub(super) struct DeniedResponse {
    pub(super) status: &'static str,
    text: String,
    field: Option<Field>,
    /// The key in `components`, if the response is the same for every operation.
    pub(super) shared: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum Field {
    Challenges,
    RetryAfter,
}

/// Returns the denials that callers of a handler may receive.
pub(super) fn denials(policy: &Policy, circumstances: Circumstances) -> Vec<DeniedResponse> {
    if policy.has_optional_identity() {
        return vec![
            DeniedResponse::bad_request(),
            DeniedResponse::shared_unauthorized(),
            DeniedResponse::unavailable(),
        ];
    }
    let Some(requirement) = policy.requirement() else {
        return Vec::new();
    };
    if *requirement == Requirement::always() {
        return Vec::new();
    }
    if circumstances.is_hidden {
        return hidden_denials(policy, requirement, circumstances);
    }
    if *requirement == Requirement::never() {
        let text = "Not allowed: the service does not offer this operation.".to_owned();
        return vec![
            DeniedResponse::bad_request(),
            DeniedResponse::forbidden(text, circumstances),
        ];
    }
    let asks_who = may_ask_who(requirement, circumstances.can_ask_for_binding);
    let may_be_unverifiable = may_ask_who(requirement, circumstances.can_bind);
    let is_forbidden = is_denied(requirement, &|atom| circumstances.gets(atom));
    let forbidden = is_forbidden.then(|| {
        let takes = wording(requirement, circumstances.audience);
        let text = match policy.denial_text() {
            Some(says) => format!("{says} It takes `{takes}`."),
            None => format!("Not allowed: it takes `{takes}`."),
        };
        DeniedResponse::forbidden(text, circumstances)
    });
    let unauthorized = || {
        let asks_scopes = circumstances.asks_scopes(requirement);
        match further_unauthorized(requirement, asks_scopes) {
            None => DeniedResponse::shared_unauthorized(),
            Some(further) => DeniedResponse::unauthorized(format!("{UNAUTHORIZED}{further}")),
        }
    };
    let denials = [
        Some(DeniedResponse::bad_request()),
        asks_who.then(unauthorized),
        forbidden,
        may_be_unverifiable.then(DeniedResponse::unavailable),
    ];
    denials.into_iter().flatten().collect()
}

/// Returns the responses of a hidden handler: those of an unknown path, and the visible denials.
fn hidden_denials(
    policy: &Policy,
    requirement: &Requirement,
    circumstances: Circumstances,
) -> Vec<DeniedResponse> {
    let anonymous = if circumstances.challenges_unknown {
        "Credentials are missing or were rejected, as on an unknown path."
    } else {
        "Credentials were rejected, as on an unknown path."
    };
    let asks_scopes = policy.shown_to().is_some() && circumstances.asks_scopes(requirement);
    let further = further_unauthorized(requirement, asks_scopes).unwrap_or_default();
    let forbidden = policy.shown_to().filter(|lesser| {
        // Some callers with exactly the atoms of `hide_unless` are denied.
        let mut sets = sufficient(lesser).into_iter();
        sets.any(|set| {
            is_denied(requirement, &|atom| {
                circumstances.gets(atom) || set.contains(&atom)
            })
        })
    });
    let forbidden = forbidden.map(|lesser| {
        let takes = wording(requirement, circumstances.audience);
        let lesser = wording(lesser, circumstances.audience);
        let text = format!(
            "Not allowed: it takes `{takes}`. Only callers with `{lesser}` receive this \
             response; others receive 404."
        );
        DeniedResponse::forbidden(text, circumstances)
    });
    // A denial that requires a new login is visible.
    let is_known = |atom: &Atom| *atom == Atom::Authenticated;
    let is_kept = |lesser| is_denied(lesser, &is_known);
    let keeps_from_known = is_denied(requirement, &|atom| is_known(atom) || is_login(atom))
        && policy.shown_to().is_none_or(is_kept);
    let is_not_found = !circumstances.challenges_unknown || keeps_from_known;
    let denials = [
        Some(DeniedResponse::bad_request()),
        Some(DeniedResponse::unauthorized(format!(
            "{anonymous}{further}"
        ))),
        forbidden,
        is_not_found.then(DeniedResponse::not_found),
        Some(DeniedResponse::unavailable()),
    ];
    denials.into_iter().flatten().collect()
}

const UNAUTHORIZED: &str = "Credentials are missing or were rejected.";

impl DeniedResponse {
    fn bad_request() -> Self {
        Self {
            status: "400",
            text: "The request carries credentials in a way that is not accepted, as in two \
                   places, or a body that cannot be read."
                .to_owned(),
            field: Some(Field::Challenges),
            shared: Some("AuthBadRequest"),
        }
    }

    fn unauthorized(text: String) -> Self {
        Self {
            status: "401",
            text,
            field: Some(Field::Challenges),
            shared: None,
        }
    }

    fn shared_unauthorized() -> Self {
        Self {
            shared: Some("AuthUnauthorized"),
            ..Self::unauthorized(UNAUTHORIZED.to_owned())
        }
    }

    fn forbidden(text: String, circumstances: Circumstances) -> Self {
        Self {
            status: "403",
            text,
            field: circumstances.is_oauth.then_some(Field::Challenges),
            shared: None,
        }
    }

    /// The response of the service's fallback.
    fn not_found() -> Self {
        Self {
            status: "404",
            text: "Not allowed: the response of an unknown path.".to_owned(),
            field: None,
            shared: None,
        }
    }

    fn unavailable() -> Self {
        Self {
            status: "503",
            text: "Access cannot be checked at the moment: the credentials may be valid."
                .to_owned(),
            field: Some(Field::RetryAfter),
            shared: Some("AuthUnavailable"),
        }
    }

    /// Returns the OpenAPI response, with the built-in body if it has one.
    pub(super) fn response(&self, has_body: bool) -> Object {
        let mut response = Object::new();
        response.insert("description".to_owned(), json!(self.text));
        if let Some(field) = self.field {
            let headers = json!({ field.name(): field.header() });
            response.insert("headers".to_owned(), headers);
        }
        if has_body && self.status != "404" {
            let schema = format!("#/components/schemas/{BODY}");
            let content = json!({ "application/problem+json": { "schema": { "$ref": schema } } });
            response.insert("content".to_owned(), content);
        }
        response
    }

    /// Adds the response to those of `operation`. A response that was written by hand for the same
    /// status is kept, and receives the missing parts.
    pub(super) fn add_to(&self, operation: &mut Object, has_body: bool) {
        change_object(operation, "responses", |responses| {
            let Some(theirs) = responses.get_mut(self.status) else {
                let ours = match self.shared {
                    Some(key) => json!({ "$ref": format!("#/components/responses/{key}") }),
                    None => Value::Object(self.response(has_body)),
                };
                responses.insert(self.status.to_owned(), ours);
                return;
            };
            // Other operations may refer to a reference as well.
            if let Some(theirs) = here(theirs) {
                complete(theirs, self.response(has_body));
            }
        });
    }
}

/// Adds the parts of the response `ours` that `theirs` has not.
fn complete(theirs: &mut Object, ours: Object) {
    for (part, ours) in ours {
        let Value::Object(ours) = ours else {
            if text(theirs, &part).is_none_or(str::is_empty) {
                theirs.insert(part, ours);
            }
            continue;
        };
        change_object(theirs, &part, |theirs| {
            for (name, value) in ours {
                // The names of fields and of media types have no case.
                if !theirs.keys().any(|own| own.eq_ignore_ascii_case(&name)) {
                    theirs.insert(name, value);
                }
            }
        });
    }
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Self::Challenges => "WWW-Authenticate",
            Self::RetryAfter => "Retry-After",
        }
    }

    fn header(self) -> Value {
        let (kind, text) = match self {
            Self::Challenges => ("string", "What to send instead (RFC 9110 §11.6.1)."),
            Self::RetryAfter => (
                "integer",
                "When to try again, in seconds (RFC 9110 §10.2.3).",
            ),
        };
        json!({ "description": text, "schema": { "type": kind } })
    }
}

/// Returns the sentence about the additional causes of a 401 for known callers, if there are some.
fn further_unauthorized(requirement: &Requirement, asks_scopes: bool) -> Option<String> {
    let asks_login = requirement.contains(is_login);
    let asks_binding = requirement.contains(|atom| atom.group() == Group::Binding);
    let causes = [
        (asks_login, "the login is too old or too weak (RFC 9470)"),
        (asks_binding, "the credentials are not bound to a key"),
        (asks_scopes, "the access token lacks a scope (RFC 6750)"),
    ];
    let causes = causes.into_iter().filter(|(is_possible, _)| *is_possible);
    let causes: Vec<&str> = causes.map(|(_, cause)| cause).collect();
    (!causes.is_empty()).then(|| format!(" Or {}.", causes.join(", or ")))
}

impl Circumstances {
    /// Returns whether a 401 can ask a known caller for a token with other scopes (rule 3c).
    fn asks_scopes(self, requirement: &Requirement) -> bool {
        self.has_token_server
            && requirement.contains(|atom| match atom {
                Atom::Scope(_) => true,
                Atom::Can { .. } => self.has_object_scopes,
                _ => false,
            })
    }

    /// Returns whether a caller that is only authenticated has `atom`, or receives a 401 that asks
    /// for it (rule 3). An object may be one without a scope.
    fn gets(self, atom: &Atom) -> bool {
        match atom.group() {
            Group::Identity => match atom {
                Atom::Authenticated => true,
                Atom::Scope(_) => self.has_only_token_servers,
                _ => false,
            },
            Group::Freshness => true,
            Group::Binding => self.can_ask_for_binding,
            Group::Context => false,
        }
    }
}

fn is_login(atom: &Atom) -> bool {
    atom.group() == Group::Freshness
}

/// Returns whether a caller with exactly these atoms does not meet `requirement`.
fn is_denied(requirement: &Requirement, has: &dyn Fn(&Atom) -> bool) -> bool {
    requirement.evaluate(&|atom| Truth::from(has(atom))) != Truth::True
}

/// Returns the text of the requirement. For the public, it leaves out the names of functions,
/// networks and settings.
fn wording(requirement: &Requirement, audience: Audience) -> String {
    let list = |parts: &[Requirement]| {
        let parts = parts.iter().map(|part| wording(part, audience));
        parts.collect::<Vec<_>>().join(", ")
    };
    match (requirement, audience) {
        (Requirement::Atom(Atom::Check(_)), Audience::Public) => "check".to_owned(),
        (Requirement::Atom(Atom::Network(_)), Audience::Public) => "network".to_owned(),
        (Requirement::Atom(Atom::Setting(_)), Audience::Public) => "setting".to_owned(),
        (Requirement::Atom(Atom::Can { action, on }), Audience::Public)
            if matches!(on, ObjectSource::Function { .. }) =>
        {
            format!("can({action:?}, on = {:?})", on.resource_type())
        }
        (Requirement::Atom(atom), _) => atom.to_string(),
        (Requirement::All(parts), _) => format!("all({})", list(parts)),
        (Requirement::Any(parts), _) => format!("any({})", list(parts)),
    }
}

/// The key of the schema of the built-in body.
pub(super) const BODY: &str = "AuthDenial";

/// The built-in body (RFC 9457).
pub(super) fn body() -> Value {
    json!({
        "type": "object",
        "description": "A problem detail (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
        },
    })
}
