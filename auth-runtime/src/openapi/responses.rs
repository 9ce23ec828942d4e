//! What a caller may be told who is not let in.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    Content, Header, HeaderBuilder, RefOr, Response, ResponseBuilder, Schema,
};

use super::Audience;
use super::security::may_ask_who;
use crate::policy::Policy;
use crate::requirement::{Atom, Group, Requirement};
use crate::truth::Truth;

/// The key of the schema of the built-in body.
pub(super) const BODY: &str = "AuthDenial";

/// What it depends on besides the policy.
#[derive(Clone, Copy)]
pub(super) struct Circumstances {
    pub(super) audience: Audience,
    pub(super) is_hidden: bool,
    /// Whether anonymous callers are told 401 of a path that was never there.
    pub(super) challenges_unknown: bool,
    pub(super) can_constrain_senders: bool,
    /// Whether some scheme that is accepted is one of OAuth's.
    pub(super) is_oauth: bool,
    /// Whether the bodies are the built-in ones.
    pub(super) has_own_bodies: bool,
}

/// The denials that callers of a handler may see, each with its status.
pub(super) fn denials(policy: &Policy, circumstances: Circumstances) -> Vec<(&'static str, Response)> {
    let Some(requirement) = policy.requirement() else {
        return Vec::new();
    };
    if circumstances.is_hidden {
        return hidden_denials(policy, requirement, circumstances);
    }
    let asks_who = may_ask_who(requirement);
    let denials = [
        Some(circumstances.bad_request()),
        asks_who.then(|| circumstances.unauthorized(&unauthorized(requirement))),
        may_forbid(requirement, circumstances).then(|| {
            let told = told(requirement, circumstances.audience);
            circumstances.forbidden(&format!("Not allowed: it takes `{told}`."))
        }),
        asks_who.then(|| circumstances.unverifiable()),
    ];
    denials.into_iter().flatten().collect()
}

/// What is told of a path that was never there, and what stays to be seen.
fn hidden_denials(
    policy: &Policy,
    requirement: &Requirement,
    circumstances: Circumstances,
) -> Vec<(&'static str, Response)> {
    let anonymous = match circumstances.challenges_unknown {
        true => "Credentials are missing or were rejected, as on a path that was never there.",
        false => "Credentials were rejected, as on a path that was never there.",
    };
    let unauthorized = format!("{anonymous}{}", further_unauthorized(requirement));
    let shown = policy.shown_to();
    let forbidden = shown.filter(|_| may_forbid(requirement, circumstances));
    let forbidden = forbidden.map(|lesser| {
        let lesser = told(lesser, circumstances.audience);
        let told = told(requirement, circumstances.audience);
        circumstances.forbidden(&format!(
            "Not allowed: it takes `{told}`. Told only to those who have `{lesser}`; the others see 404."
        ))
    });
    let denials = [
        Some(circumstances.bad_request()),
        Some(circumstances.unauthorized(&unauthorized)),
        forbidden,
        Some((
            "404",
            Response::new("Hidden: not allowed, and told as of a path that was never there."),
        )),
        Some(circumstances.unverifiable()),
    ];
    denials.into_iter().flatten().collect()
}

impl Circumstances {
    fn bad_request(self) -> (&'static str, Response) {
        let text = "The request carries credentials in a way that is not accepted, as in two places.";
        ("400", self.denial(text, self.is_oauth.then(challenges)))
    }

    fn unauthorized(self, text: &str) -> (&'static str, Response) {
        ("401", self.denial(text, Some(challenges())))
    }

    fn forbidden(self, text: &str) -> (&'static str, Response) {
        ("403", self.denial(text, self.is_oauth.then(challenges)))
    }

    fn unverifiable(self) -> (&'static str, Response) {
        let text = "Whether this is allowed cannot be checked at the moment: the credentials may be good.";
        let seconds = ObjectBuilder::new().schema_type(Type::Integer);
        let retry = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("When to try again, in seconds (RFC 9110 §10.2.3)."));
        ("503", self.denial(text, Some(("Retry-After", retry.build()))))
    }

    fn denial(self, text: &str, field: Option<(&str, Header)>) -> Response {
        let mut response = ResponseBuilder::new().description(text);
        if let Some((name, header)) = field {
            response = response.header(name, header);
        }
        if !self.has_own_bodies {
            let schema = utoipa::openapi::Ref::from_schema_name(BODY);
            response = response.content("application/problem+json", Content::new(Some(schema)));
        }
        response.build()
    }
}

fn challenges() -> (&'static str, Header) {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let header = HeaderBuilder::new()
        .schema(Some(text))
        .description(Some("What to send instead (RFC 9110 §11.6.1)."));
    ("WWW-Authenticate", header.build())
}

fn unauthorized(requirement: &Requirement) -> String {
    let further = further_unauthorized(requirement);
    format!("Credentials are missing or were rejected.{further}")
}

/// What is told besides to those who are known.
fn further_unauthorized(requirement: &Requirement) -> &'static str {
    let asks_login = requirement.contains(|atom| atom.group() == Group::Freshness);
    let asks_binding = requirement.contains(|atom| atom.group() == Group::Binding);
    match (asks_login, asks_binding) {
        (false, false) => "",
        (true, false) => " Or the login is too old or too weak (RFC 9470).",
        (false, true) => " Or the credentials are not bound to a key.",
        (true, true) => {
            " Or the login is too old or too weak (RFC 9470), or the credentials are not bound to a key."
        }
    }
}

/// Whether there are callers whom neither credentials nor a new login of theirs would help (rules 2
/// and 3).
fn may_forbid(requirement: &Requirement, circumstances: Circumstances) -> bool {
    let least = |atom: Atom| {
        let is_had = match atom.group() {
            Group::Identity => atom == Atom::Authenticated,
            Group::Freshness => true,
            Group::Binding => circumstances.can_constrain_senders,
            Group::Context => false,
        };
        Truth::from(is_had)
    };
    requirement.evaluate(&least) != Truth::True
}

/// The requirement as it is written. Where everybody reads it, without what is only the service's to
/// know: the names of its functions and of its networks.
fn told(requirement: &Requirement, audience: Audience) -> String {
    let list = |parts: &[Requirement]| {
        let parts = parts.iter().map(|part| told(part, audience));
        parts.collect::<Vec<_>>().join(", ")
    };
    match (requirement, audience) {
        (Requirement::Atom(Atom::Check(_)), Audience::Everybody) => "check".to_owned(),
        (Requirement::Atom(Atom::Network(_)), Audience::Everybody) => "network".to_owned(),
        (Requirement::Atom(atom), _) => atom.to_string(),
        (Requirement::All(parts), _) => format!("all({})", list(parts)),
        (Requirement::Any(parts), _) => format!("any({})", list(parts)),
    }
}

/// Adds `ours` to the responses of `operation`. What was written by hand for the same status stays, and
/// gets what it lacks.
pub(super) fn add(operation: &mut Operation, status: &str, ours: Response) {
    let responses = &mut operation.responses.responses;
    let theirs = match responses.get_mut(status) {
        None => {
            responses.insert(status.to_owned(), RefOr::T(ours));
            return;
        }
        // Other operations may refer to it as well.
        Some(RefOr::Ref(_)) => return,
        Some(RefOr::T(theirs)) => theirs,
    };
    if theirs.description.is_empty() {
        theirs.description = ours.description;
    }
    for (name, header) in ours.headers {
        let mut written = theirs.headers.keys();
        if !written.any(|own| own.eq_ignore_ascii_case(&name)) {
            theirs.headers.insert(name, header);
        }
    }
    for (media_type, content) in ours.content {
        theirs.content.entry(media_type).or_insert(content);
    }
}

/// The built-in body (RFC 9457).
pub(super) fn body() -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let status = ObjectBuilder::new().schema_type(Type::Integer);
    let body = ObjectBuilder::new()
        .property("type", text())
        .property("title", text())
        .property("status", status)
        .property("detail", text())
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
        .description(Some("A problem detail (RFC 9457)."));
    RefOr::T(Schema::Object(body.build()))
}
