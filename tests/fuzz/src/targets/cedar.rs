//! Questions to Cedar, which are built from requests: `@id: …` is the id in the path, percent-encoded, and
//! `@subject: …`, `@role: …` and `@owner: …` are those of the caller and of the object.

use std::sync::{Arc, Mutex};

use auth_runtime::objects::{EntitiesFuture, Entity, EntityLoader, EntityUid, Value};
use auth_runtime::routing::get;
use auth_runtime::schemes::Bearer;
use auth_runtime::{Caller, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, requires};
use auth_runtime_cedar::{Cedar, CedarBuilder};
use percent_encoding::percent_decode_str;

use super::requests::Sent;
use super::service::{Service, assert_alike};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "cedar",
    cost: 2,
    dictionary: &[
        "@id: ",
        "@subject: ",
        "@role: ",
        "@owner: ",
        "ann",
        "admin",
        "a%20%22b%22%2Fc",
        "by%20path",
        "locked",
        "%22",
        "%5C",
        "%5C%22",
        "%00",
        "%0A",
        "%2F",
        "%252F",
        "%C3%A9",
        "%FF",
        "User::%22ann%22",
        "%22,%20Role::%22admin",
        "*",
        "::",
        "//",
        "GET",
        "HEAD",
        "POST",
    ],
    start,
};

/// Ids that the policies name.
const NAMED: &str = "a \"b\"/c";
const LOCKED: &str = "locked";

const POLICIES: &str = r#"
    permit (principal, action == Action::"read", resource) when { resource.owner == principal };
    permit (principal == User::"ann", action == Action::"read", resource == Document::"a \"b\"/c");
    permit (principal in Role::"admin", action == Action::"read", resource);
    permit (principal, action == Action::"read", resource) when { context.path == "/hidden/by%20path" };
    forbid (principal, action, resource == Document::"locked");
"#;

const SCHEMA: &str = r#"
    entity Role;
    entity User in [Role];
    entity Document { owner: User };
    action read appliesTo { principal: User, resource: Document, context: { path: String } };
"#;

#[requires(can = "read", on = "Document::{id}", hide_as = 404)]
async fn hidden() -> &'static str {
    "read"
}

/// The facts of an input, percent-decoded.
#[derive(Clone, Debug, Default)]
struct Facts {
    subject: String,
    role: String,
    owner: String,
}

type Present = Arc<Mutex<Facts>>;

/// All users and documents exist.
struct Loader(Present);

impl EntityLoader for Loader {
    fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
        let owner = self.0.lock().expect("no panic").owner.clone();
        let found = wanted.iter().map(|wanted| {
            let entity = Entity::new(wanted.entity_type().to_owned(), wanted.id());
            match wanted.entity_type() {
                "Document" => {
                    entity.with_property("owner", Value::Reference("User".into(), owner.clone()))
                }
                _ => entity,
            }
        });
        let found = found.collect();
        Box::pin(async move { Ok(found) })
    }
}

fn router(cedar: CedarBuilder, present: &Present) -> ProtectedRouter {
    let cedar = cedar
        .policies(POLICIES)
        .entities(Loader(Arc::clone(present)));
    let present = Arc::clone(present);
    let bearer = Bearer::new(move |_: String| {
        let Facts { subject, role, .. } = present.lock().expect("no panic").clone();
        async move { Caller::known(Identity::new(subject).with_roles([role])) }
    });
    let space = ProtectionSpace::builder()
        .realm("fuzz")
        .scheme(bearer)
        .decision_point(cedar.build().expect("policies"));
    GuardedRouter::new()
        .route("/hidden/{id}", get(hidden))
        .protect(space.build().expect("a space"))
        .expect("the routes fit to the space")
}

fn start() -> Check {
    let present = Present::default();
    let services = [Cedar::builder(), Cedar::builder().schema(SCHEMA)]
        .map(|cedar| Service::new(router(cedar, &present)));
    Box::new(move |input| {
        let Some(sent) = Sent::parse(input, "/") else {
            return Outcome::of("not a request");
        };
        let decoded = |name| {
            let text = percent_decode_str(sent.option(name).unwrap_or_default());
            text.decode_utf8_lossy().into_owned()
        };
        let facts = Facts {
            subject: decoded("subject"),
            role: decoded("role"),
            owner: decoded("owner"),
        };
        *present.lock().expect("no panic") = facts.clone();
        let spelled = sent.option("id").unwrap_or_default();
        let respond = |service: &Service, path: &str| {
            let mut sent = Sent::parse(input, path)?;
            let token = http::HeaderValue::from_static("Bearer x");
            sent.fields.insert("authorization", token);
            let answer = service.respond(sent.to_request());
            answer.check(&sent);
            Some(answer)
        };
        let outcomes = services.each_ref().map(|service| {
            let path = format!("/hidden/{spelled}");
            let (Some(answer), Some(absent)) = (
                respond(service, &path),
                respond(service, &format!("/absent/{spelled}")),
            ) else {
                return Outcome::of("not a path");
            };
            let is_granted = answer.status == 200;
            let is_expected = ["GET", "HEAD"].contains(&sent.method.as_str())
                && percent_decode_str(spelled)
                    .decode_utf8()
                    .is_ok_and(|id| may_read(&facts, &id, &path));
            assert!(!is_granted || is_expected, "granted: {facts:?}");
            // Ids in a usual form are not refused for another reason.
            if is_expected && spelled.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                assert!(
                    is_granted || facts.subject.is_empty(),
                    "{facts:?} {answer:?}"
                );
            }
            if !is_granted {
                assert_alike(&answer, &absent);
            }
            Outcome::of(answer.status.as_u16()).of_decision(is_granted)
        });
        Outcome::of_all(outcomes)
    })
}

/// The policies, in Rust.
fn may_read(facts: &Facts, id: &str, path: &str) -> bool {
    let is_permitted = facts.owner == facts.subject
        || (facts.subject == "ann" && id == NAMED)
        || facts.role == "admin"
        || path == "/hidden/by%20path";
    is_permitted && id != LOCKED && !id.is_empty()
}
