//! The claim `access` of tokens of container registries: the first line of an input is the claim, the second one the
//! name of a repository, and the rest is the request with `{token}`.

use auth_runtime::objects::{Action, Resource};
use auth_runtime::routing::get;
use auth_runtime::schemes::{AccessClaim, Bearer};
use auth_runtime::{Denied, Guard, GuardedRouter, ProtectedRouter, ProtectionSpace, requires};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::jwt::{AUDIENCE, ISSUER, signed, split, verifier};
use super::requests::{Sent, fill};
use super::service::{Answer, NOW, Service, assert_alike};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "access_claim",
    cost: 2,
    dictionary: &[
        "{\"type\":\"repository\",\"name\":\"ann/web\",\"actions\":[\"pull\"]}",
        "\"type\":\"repository\"",
        "\"type\":\"Repository\"",
        "\"type\":\"registry\"",
        "\"name\":\"ann/web\"",
        "\"name\":\"*\"",
        "\"actions\":[\"pull\",\"push\"]",
        "\"actions\":[\"*\"]",
        "\"actions\":\"pull\"",
        "\"actions\":[]",
        "\"class\":\"image\"",
        "ann/web",
        "ann__web",
        "ann--web",
        "scope=",
        " repository:ann/web:push",
        "null",
        "[]",
        "{}",
        "[",
        "]",
        ",",
        "\n",
        "\\u002f",
        "\\ud800",
    ],
    start,
};

const PULL: Action = Action::new("pull");

#[requires(can = "pull", on = "Repository::{name}")]
async fn pull() -> &'static str {
    "pulled"
}

#[requires(can = "pull", on = "Repository::{name}", hide_as = 404)]
async fn hidden() -> &'static str {
    "pulled"
}

/// Names the permitted ones of some repositories.
#[requires(authenticated)]
async fn list(guard: Guard) -> Result<String, Denied> {
    let permitted = guard.filter(PULL, NAMES.map(Repository).into()).await?;
    let names: Vec<_> = permitted.into_iter().map(|Repository(name)| name).collect();
    Ok(names.join(" "))
}

struct Repository(&'static str);

impl From<&Repository> for Resource {
    fn from(Repository(name): &Repository) -> Self {
        Self::new("Repository", *name)
    }
}

const NAMES: [&str; 3] = ["ann/web", "ann/web2", "*"];

fn router() -> ProtectedRouter {
    let bearer = Bearer::jwt(verifier()).token_server("https://auth.example/token", "registry");
    let space = ProtectionSpace::builder()
        .realm("fuzz")
        .scheme(bearer)
        .decision_point(AccessClaim);
    GuardedRouter::new()
        .route("/shown/{name}", get(pull))
        .route("/hidden/{name}", get(hidden))
        .route("/list", get(list))
        .protect(space.build().expect("a space"))
        .expect("the routes fit to the space")
}

fn start() -> Check {
    let service = Service::new(router());
    Box::new(move |input| {
        let (access, name, request) = split(input);
        let Some(name) = std::str::from_utf8(name).ok().filter(|it| !it.is_empty()) else {
            return Outcome::of("not a name");
        };
        let claims = format!(
            r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"ann","exp":{},"access":{}}}"#,
            NOW + 600,
            String::from_utf8_lossy(access),
        );
        let token = signed(&claims);
        let request = fill(request, &[("token", &token)]);
        let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let respond = |path: &str| {
            let sent = Sent::parse(&request, path)?;
            let answer = service.respond(sent.to_request());
            answer.check(&sent);
            Some((sent, answer))
        };
        let (Some((sent, shown)), Some((_, hidden)), Some((_, absent)), Some((_, listed))) = (
            respond(&format!("/shown/{encoded}")),
            respond(&format!("/hidden/{encoded}")),
            respond(&format!("/absent/{encoded}")),
            respond("/list"),
        ) else {
            return Outcome::of("not a request");
        };
        let is_sent = sent.credentials().is_some_and(|(_, own)| own == token);
        let claims: Value = serde_json::from_str(&claims).unwrap_or_default();
        let allows = |name: &str| is_sent && is_allowed(&claims["access"], name);
        let is_granted = shown.status == 200;
        assert!(!is_granted || allows(name), "granted: {sent:?}");
        assert_eq!(is_granted, hidden.status == 200, "{hidden:?}");
        if !is_granted {
            assert_alike(&hidden, &absent);
            check_scope(&shown, name);
        }
        // The token is valid.
        if listed.status == 200 && sent.method == "GET" {
            let permitted: Vec<_> = NAMES.into_iter().filter(|name| allows(name)).collect();
            assert_eq!(listed.body, permitted.join(" ").as_bytes());
            if name.bytes().all(|byte| byte.is_ascii_graphic()) {
                assert_eq!(is_granted, allows(name), "{shown:?}");
            }
        }
        let challenges = shown.lines("www-authenticate").concat();
        let has_scope = challenges.contains("scope=");
        Outcome::of((shown.status.as_u16(), listed.body, has_scope)).of_decision(is_granted)
    })
}

/// Returns whether an entry of the claim allows `pull` on a repository.
fn is_allowed(access: &Value, name: &str) -> bool {
    let entries = access.as_array().into_iter().flatten();
    entries.into_iter().any(|entry| {
        let actions = entry["actions"].as_array().into_iter().flatten();
        let names: Vec<_> = actions.filter_map(Value::as_str).collect();
        entry["type"] == "repository"
            && entry["name"] == name
            && (names.contains(&"pull") || names.contains(&"*"))
    })
}

/// Panics unless the scopes of the challenge are the one of this repository, if its name has one.
fn check_scope(answer: &Answer, name: &str) {
    for challenge in answer.lines("www-authenticate") {
        let scope = challenge.split_once("scope=\"");
        let scope = scope.and_then(|(_, rest)| rest.split_once('"'));
        let scope = scope.map(|(scope, _)| scope);
        let expected = is_repository(name).then(|| format!("repository:{name}:pull"));
        // The challenges of a malformed request have no scope.
        if scope.is_some() || answer.status == 401 {
            assert_eq!(scope, expected.as_deref(), "{challenge}");
        }
    }
}

/// Returns whether a text is `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, once or several times with slashes between them (OCI
/// distribution, "Pulling manifests").
fn is_repository(name: &str) -> bool {
    let mut rest = name.as_bytes();
    let word = |bytes: &[u8]| {
        let is_legal = |byte: &&u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
        bytes.iter().take_while(is_legal).count()
    };
    loop {
        let length = word(rest);
        if length == 0 {
            return false;
        }
        rest = &rest[length..];
        let hyphens = rest.iter().take_while(|byte| **byte == b'-').count();
        rest = match rest {
            [] => return name.len() <= 255,
            [b'_', b'_', more @ ..] | [b'/' | b'.' | b'_', more @ ..] => more,
            _ if hyphens > 0 => &rest[hyphens..],
            _ => return false,
        };
    }
}
