//! The `security` of operations, and the schemes that it names.

use std::collections::{BTreeMap, BTreeSet};

use auth_runtime_core::Source;
use auth_runtime_core::adapter::SchemeDescription;
use auth_runtime_policy::dnf::{AtomState, minimal_sets};
use auth_runtime_policy::{Atom, Group, Policy, Requirement};
use serde_json::{Value, json};

use super::document::{Object, list, set_field};
use super::error::Mistake;
use super::operations;

/// The key of the client certificates that Bearer tokens are bound to (RFC 8705).
pub(super) const CERTIFICATE: &str = "MutualTLS";

/// Returns the alternatives that meet `policy`; `None` if no accepted scheme can meet it. The list is empty if
/// every caller is granted.
pub(super) fn of_policy(policy: &Policy, schemes: &[SchemeDescription<'_>]) -> Option<Vec<Value>> {
    if policy.has_optional_identity() {
        return Some(optional(schemes));
    }
    let found = match policy.requirement() {
        // A public handler, or one that a setting of the space opens.
        None => return Some(Vec::new()),
        Some(all) if *all == Requirement::always() => return Some(Vec::new()),
        // A setting of the space closes the handler. OpenAPI has no word for that.
        Some(none) if *none == Requirement::never() => {
            alternatives(&Requirement::authenticated(), schemes)
        }
        Some(requirement) => alternatives(requirement, schemes),
    };
    (!found.is_empty()).then_some(found)
}

/// Returns the alternatives that meet `requirement`: one for each sufficient set of atoms and each
/// scheme. Empty if nothing can meet it.
///
/// A set of networks only needs no credentials.
fn alternatives(requirement: &Requirement, schemes: &[SchemeDescription<'_>]) -> Vec<Value> {
    let mut found = Vec::new();
    let mut is_open = false;
    for set in sufficient(requirement) {
        if !asks_who(&set) {
            is_open = true;
            continue;
        }
        let mut scopes: Vec<&str> = set.iter().filter_map(|atom| scope(atom)).collect();
        scopes.sort_unstable();
        let is_bound = set.contains(&&Atom::SenderConstrained);
        for scheme in schemes {
            if is_bound && !scheme.constrains_sender {
                continue;
            }
            let mut alternative = both(scheme, &scopes);
            if is_bound && binds_by_certificate(scheme) {
                set_field(&mut alternative, CERTIFICATE, json!([]));
            }
            if !found.contains(&alternative) {
                found.push(alternative);
            }
        }
    }
    if is_open {
        found.push(json!({}));
    }
    found
}

/// Returns the alternatives of a public operation that identifies known callers: each scheme, or none.
fn optional(schemes: &[SchemeDescription<'_>]) -> Vec<Value> {
    let known = schemes.iter().map(|scheme| both(scheme, &[]));
    known.chain([json!({})]).collect()
}

/// Returns a scheme, and that of its application.
pub(super) fn with_application(
    mut scheme: SchemeDescription<'_>,
) -> impl Iterator<Item = SchemeDescription<'_>> {
    let application = scheme.application.take();
    std::iter::once(scheme).chain(application.map(|application| *application))
}

/// Returns the credentials of a scheme, and those of its application.
fn both(scheme: &SchemeDescription<'_>, scopes: &[&str]) -> Value {
    let mut both = json!({ scheme.openapi_name: scopes });
    if let Some(application) = &scheme.application {
        set_field(&mut both, application.openapi_name, json!([]));
    }
    both
}

/// Returns whether some sufficient set of `requirement` needs credentials. Sets with `sender_constrained` count only if
/// `can_bind` is true.
pub(super) fn may_ask_who(requirement: &Requirement, can_bind: bool) -> bool {
    let is_possible = |set: &&Vec<&Atom>| {
        let mut atoms = set.iter();
        can_bind || !atoms.any(|atom| atom.group() == Group::Binding)
    };
    // No set contains another one, so a network cannot replace the credentials of such a set.
    let sets = sufficient(requirement);
    sets.iter().filter(is_possible).any(|set| asks_who(set))
}

/// Returns the sets of atoms that are each sufficient. None of them contains another.
pub(super) fn sufficient(requirement: &Requirement) -> Vec<Vec<&Atom>> {
    minimal_sets(requirement, &|_| AtomState::Missing)
}

fn asks_who(set: &[&Atom]) -> bool {
    set.iter().any(|atom| atom.group() != Group::Context)
}

fn scope(atom: &Atom) -> Option<&str> {
    match atom {
        Atom::Scope(scope) => Some(scope),
        _ => None,
    }
}

/// A Bearer token carries no proof of its own, so the connection binds it.
fn binds_by_certificate(scheme: &SchemeDescription<'_>) -> bool {
    scheme.constrains_sender && scheme.name.eq_ignore_ascii_case("Bearer")
}

/// Returns a form of `security` that does not depend on its order.
pub(super) fn canonical(security: &[Value]) -> BTreeSet<BTreeMap<String, Vec<String>>> {
    let alternatives = security.iter().map(|alternative| {
        let members = alternative.as_object().into_iter().flatten();
        let members = members.map(|(name, scopes)| {
            let scopes = scopes.as_array().into_iter().flatten();
            let mut scopes: Vec<_> = scopes
                .filter_map(|scope| scope.as_str().map(str::to_owned))
                .collect();
            scopes.sort_unstable();
            (name.clone(), scopes)
        });
        members.collect()
    });
    alternatives.collect()
}

/// Returns the names of all schemes that a document requires.
pub(super) fn schemes_of(document: &mut Object) -> BTreeSet<String> {
    let mut asked = list(document, "security").to_vec();
    operations::each(document, &mut |operation| {
        asked.extend_from_slice(list(operation, "security"));
    });
    let alternatives = canonical(&asked).into_iter().flatten();
    alternatives.map(|(name, _)| name).collect()
}

/// Returns the description of a scheme, from the places where the space reads its credentials.
pub(super) fn describe(
    scheme: &SchemeDescription<'_>,
    metadata: Option<&str>,
) -> Result<Value, Mistake> {
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if !scheme.openapi_name.bytes().all(is_key) {
        let name = scheme.openapi_name.to_owned();
        return Err(Mistake::Name { name });
    }
    let mut places = scheme.sources.iter();
    let described = places.find_map(|source| sent_in(source, scheme, metadata));
    described.ok_or_else(|| Mistake::Source {
        name: scheme.name.to_owned(),
    })
}

fn sent_in(
    source: &Source,
    scheme: &SchemeDescription<'_>,
    metadata: Option<&str>,
) -> Option<Value> {
    let key = |place: &str, name: &str| json!({ "type": "apiKey", "in": place, "name": name });
    let mut described = match source {
        Source::Authorization => match registered(scheme.name) {
            Some(registered) => json!({ "type": "http", "scheme": registered }),
            // Tools know the schemes that were registered when OpenAPI began.
            None => key("header", "Authorization"),
        },
        Source::BareAuthorization => key("header", "Authorization"),
        Source::Field(name) | Source::TextField(name) => key("header", name.as_str()),
        Source::Cookie(name) => key("cookie", name),
        Source::Subprotocol(_) => key("header", "Sec-WebSocket-Protocol"),
        Source::Query(name) => key("query", name),
        Source::Connection(_) => {
            return Some(mutual_tls("The client certificate of the connection."));
        }
        _ => return None,
    };
    if let Some(format) = scheme.format.filter(|_| described.get("scheme").is_some()) {
        set_field(&mut described, "bearerFormat", format);
    }
    if let Some(sentences) = sentences(source, scheme, metadata) {
        set_field(&mut described, "description", sentences);
    }
    Some(described)
}

/// Returns the additional description of a scheme that is sent in `source`.
fn sentences(
    source: &Source,
    scheme: &SchemeDescription<'_>,
    metadata: Option<&str>,
) -> Option<String> {
    let mut sentences = Vec::new();
    if *source == Source::Authorization && registered(scheme.name).is_none() {
        let proof = if scheme.name.eq_ignore_ascii_case("DPoP") {
            ", with a proof in the field `DPoP` (RFC 9449)"
        } else {
            ""
        };
        sentences.push(format!(
            "The value is `{}`, a space and the credentials{proof}.",
            scheme.name
        ));
    }
    if let Source::Subprotocol(name) = source {
        sentences.push(format!(
            "The value is `{name}`, a comma and the credentials (RFC 6455)."
        ));
    }
    for other in scheme.sources.iter().filter(|other| *other != source) {
        let sentence = match other {
            Source::Authorization => "Taken in the field `Authorization`, too.".to_owned(),
            Source::BareAuthorization => {
                "Taken in `Authorization` without the name of a scheme, too.".to_owned()
            }
            Source::Field(name) | Source::TextField(name) => {
                format!("Taken in the field `{name}`, too.")
            }
            Source::Cookie(name) => format!("Taken in the cookie `{name}`, too."),
            Source::Subprotocol(name) => {
                format!("Taken in `Sec-WebSocket-Protocol`, after `{name}`, too.")
            }
            Source::Query(name) => format!("Taken in the query, as `{name}`, too."),
            Source::Form(name) => format!("Taken in a form in the body, as `{name}`, too."),
            Source::Connection(_) => "Taken from the certificate of the client, too.".to_owned(),
            _ => continue,
        };
        sentences.push(sentence);
    }
    if let Some(url) = metadata.filter(|_| scheme.is_oauth) {
        sentences.push(format!(
            "The authorization servers are listed at <{url}> (RFC 9728)."
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Returns the scheme of the certificates that Bearer tokens are bound to.
pub(super) fn certificate() -> Value {
    mutual_tls("The client certificate that the access token is bound to (RFC 8705).")
}

fn mutual_tls(description: &str) -> Value {
    json!({ "type": MUTUAL_TLS, "description": description })
}

/// The type of [`certificate`].
pub(super) const MUTUAL_TLS: &str = "mutualTLS";

/// Returns whether the scheme `written` by hand matches `scheme`: it is the same, or for OAuth also
/// the source of its tokens.
pub(super) fn is_kept(written: &Value, scheme: &SchemeDescription<'_>) -> bool {
    let is_sent_in = |place: &dyn Fn(&Source) -> bool| scheme.sources.iter().any(place);
    let member = |name: &str| written[name].as_str().unwrap_or_default();
    let key = member("name");
    match (member("type"), member("in")) {
        ("http", _) => {
            let is_own = registered(scheme.name) == registered(member("scheme"));
            let is_known = registered(scheme.name).is_some();
            is_known && is_own && is_sent_in(&|source| *source == Source::Authorization)
        }
        ("oauth2" | "openIdConnect", _) => scheme.is_oauth,
        ("apiKey", "header") => is_sent_in(&|source| match source {
            Source::Authorization | Source::BareAuthorization => {
                key.eq_ignore_ascii_case("Authorization")
            }
            Source::Field(name) | Source::TextField(name) => {
                key.eq_ignore_ascii_case(name.as_str())
            }
            Source::Subprotocol(_) => key.eq_ignore_ascii_case("Sec-WebSocket-Protocol"),
            _ => false,
        }),
        ("apiKey", "cookie") => is_sent_in(&|source| *source == Source::Cookie(key.to_owned())),
        ("apiKey", "query") => is_sent_in(&|source| *source == Source::Query(key.to_owned())),
        (MUTUAL_TLS, _) => is_sent_in(&|source| matches!(source, Source::Connection(_))),
        _ => false,
    }
}

/// Returns the name of a scheme that was registered when OpenAPI began.
fn registered(name: &str) -> Option<&'static str> {
    let known = [
        "basic",
        "bearer",
        "digest",
        "hoba",
        "mutual",
        "negotiate",
        "oauth",
        "scram-sha-1",
        "scram-sha-256",
        "vapid",
    ];
    let mut known = known.into_iter();
    known.find(|own| own.eq_ignore_ascii_case(name))
}
