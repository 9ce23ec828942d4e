//! The documented responses match the actual ones: every kind of caller requests each operation.

use auth_tests::App;
use std::collections::BTreeSet;
use std::net::SocketAddr;

use auth_runtime::schemes::{Bearer, Credentials, Scheme, Verification};
use auth_runtime::{Caller, CheckRequest, Identity, UnknownPaths};
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use tower::ServiceExt;

use super::*;

#[requires(authenticated)]
async fn anybody() {}

#[requires(scope = "a", role = "b")]
async fn granted() {}

#[requires(max_age = "5m")]
async fn fresh() {}

#[requires(scope = "a", acr = "gold")]
async fn strong() {}

#[requires(network = "192.0.2.0/24")]
async fn near() {}

#[requires(any(authenticated, network = "192.0.2.0/24"))]
async fn known_or_near() {}

#[requires(any(scope = "a", network = "192.0.2.0/24"))]
async fn granted_or_near() {}

#[requires(authenticated, network = "192.0.2.0/24")]
async fn known_and_near() {}

async fn says_no(_: CheckRequest<'_>) -> bool {
    false
}

#[requires(check = says_no)]
async fn checked() {}

#[requires(scope = "a", hide_as = 404)]
async fn hidden() {}

/// Where unknown paths are challenged, no response is a 404.
#[requires(authenticated, hide_as = 404)]
async fn open_to_known_callers() {}

#[requires(scope = "a", hide_as = 404, hide_unless = authenticated)]
async fn hidden_from_strangers() {}

#[requires(max_age = "5m", hide_as = 404, hide_unless = scope("a"))]
async fn hidden_and_fresh() {}

#[requires(scope = "a", max_age = "5m")]
async fn beside_hidden() {}

#[requires(sender_constrained)]
async fn bound() {}

#[requires(all(scope = "a", sender_constrained))]
async fn bound_and_granted() {}

#[requires(any(sender_constrained, max_age = "5m", network = "192.0.2.0/24"))]
async fn bound_or_fresh_or_near() {}

#[requires(sender_constrained, hide_as = 404)]
async fn bound_and_hidden() {}

#[requires(role = "b", hide_as = 404, hide_unless = network("192.0.2.0/24"))]
async fn hidden_from_afar() {}

#[requires(scope = "a", max_age = "5m", hide_as = 404, hide_unless = any(scope("a"), role("b")))]
async fn hidden_but_shown_to_either() {}

#[requires(scope = "a", max_age = "5m", hide_as = 404, hide_unless = scope("a"))]
async fn hidden_from_those_without_the_scope() {}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/public", get(nothing))
        .route("/anybody", get(anybody))
        .route("/granted", get(granted))
        .route("/fresh", get(fresh))
        .route("/strong", get(strong))
        .route("/near", get(near))
        .route("/known-or-near", get(known_or_near))
        .route("/granted-or-near", get(granted_or_near))
        .route("/known-and-near", get(known_and_near))
        .route("/checked", get(checked))
        .route("/hidden", get(hidden).post(beside_hidden).put(nothing))
        .route("/open-to-known-callers", get(open_to_known_callers))
        .route("/hidden-from-strangers", get(hidden_from_strangers))
        .route("/hidden-and-fresh", get(hidden_and_fresh))
        .route(
            "/without-the-scope",
            get(hidden_from_those_without_the_scope),
        )
        .route("/bound", get(bound))
        .route("/bound-and-granted", get(bound_and_granted))
        .route("/bound-or-fresh-or-near", get(bound_or_fresh_or_near))
        .route("/bound-and-hidden", get(bound_and_hidden))
        .route("/hidden-from-afar", get(hidden_from_afar))
        .route("/shown-to-either", get(hidden_but_shown_to_either))
}

/// `Authorization: Key …`, which the service treats as bound.
struct Key;

impl Scheme for Key {
    fn name(&self) -> &str {
        "Key"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let identity = Identity::new("key").with_sender_constraint();
        Verification::done(match credentials.value() {
            "nobody" => Caller::known(identity),
            "scoped" => Caller::known(identity.with_scopes(["a"])),
            _ => Caller::known(identity.with_roles(["b"])),
        })
    }

    fn constrains_sender(&self) -> bool {
        true
    }
}

fn space(unknown_paths: UnknownPaths) -> ProtectionSpace {
    let bearer = Bearer::new(async |token| match token.as_str() {
        "nobody" => Caller::known(Identity::new("nobody")),
        "scoped" => Caller::known(Identity::new("ann").with_scopes(["a"])),
        "down" => Caller::unverifiable(),
        _ => Caller::rejected(),
    });
    ProtectionSpace::builder()
        .realm("api")
        .scheme(bearer)
        .scheme(Key)
        .unknown_paths(unknown_paths)
        .build()
        .expect("the space is in order")
}

const CALLERS: [&[&str]; 9] = [
    &[],
    &["Bearer wrong"],
    &["Bearer down"],
    &["Bearer nobody"],
    &["Bearer scoped"],
    &["Key nobody"],
    &["Key scoped"],
    &["Key of a role"],
    &["Bearer scoped", "Bearer scoped"],
];

/// The statuses of all denials.
async fn told(app: &impl App, method: &str, path: &str) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    for address in ["192.0.2.7:1", "198.51.100.7:1"] {
        for fields in CALLERS {
            let address: SocketAddr = address.parse().expect("an address");
            let mut request = Request::builder().method(method).uri(path);
            for field in fields {
                request = request.header("authorization", *field);
            }
            let request = request.extension(ConnectInfo(address)).body(Body::empty());
            let response = app.clone().oneshot(request.expect("a request")).await;
            let response = response.expect("an answer");
            if !response.status().is_success() {
                told.insert(response.status().as_str().to_owned());
                let challenges = response.headers().contains_key("www-authenticate");
                assert!(challenges || response.status() != 401);
                let retry = response.headers().contains_key("retry-after");
                assert!(retry || response.status() != 503);
            }
        }
    }
    told
}

#[tokio::test]
async fn documents_match_responses() {
    for unknown_paths in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let space = space(unknown_paths);
        let table = routes().access_table();
        let written = OpenApi::new(info(), Paths::new());
        let document = internal(&table, &space, written);
        let app = routes().protect(space).expect("the router is in order");
        let mut compared = 0;
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("methods") {
                let responses = operation["responses"].as_object().expect("responses");
                let documented: BTreeSet<_> = responses
                    .keys()
                    .filter(|status| *status != "default")
                    .cloned()
                    .collect();
                let told = told(&app, &method.to_uppercase(), path).await;
                assert_eq!(told, documented, "{method} {path}");
                compared += 1;
            }
        }
        assert_eq!(compared, 23);
    }
}

/// Credentials with their scheme and scopes.
const KNOWN: [(&str, &str, &[&str]); 5] = [
    ("Bearer nobody", "Bearer", &[]),
    ("Bearer scoped", "Bearer", &["a"]),
    ("Key nobody", "Key", &[]),
    ("Key scoped", "Key", &["a"]),
    ("Key of a role", "Key", &[]),
];

/// Requirements beside schemes and scopes, which `security` does not state.
const UNSTATED: [&str; 4] = ["role =", "check =", "acr =", "max_age ="];

#[tokio::test]
async fn documented_security_is_necessary_and_sufficient() {
    let space = space(UnknownPaths::NotFound);
    let table = routes().access_table();
    let document = internal(&table, &space, OpenApi::new(info(), Paths::new()));
    let app = routes().protect(space).expect("the router is in order");
    let is_granted = async |path: &str, credentials: Option<&str>| {
        let near = SocketAddr::from(([192, 0, 2, 7], 1));
        let mut request = Request::builder().uri(path).extension(ConnectInfo(near));
        if let Some(credentials) = credentials {
            request = request.header("authorization", credentials);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await;
        response.expect("an answer").status().is_success()
    };
    let mut sufficient = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let security = item["get"]["security"].as_array().expect("security");
        // Without an alternative, or with an empty one, no credentials are required.
        let is_open = security.is_empty() || security.contains(&json!({}));
        assert_eq!(is_granted(path, None).await, is_open, "{path}");
        let policy = item["get"]["x-access"]["policy"].as_str();
        let policy = policy.expect("a policy");
        let is_stated = !UNSTATED.iter().any(|atom| policy.contains(atom));
        for (credentials, scheme, scopes) in KNOWN {
            let is_met = |alternative: &Value| {
                let required = alternative[scheme].as_array();
                let has = |scope: &Value| scopes.iter().any(|own| scope == own);
                required.is_some_and(|required| required.iter().all(has))
            };
            let is_documented = is_open || security.iter().any(is_met);
            let is_granted = is_granted(path, Some(credentials)).await;
            if is_stated {
                assert_eq!(is_granted, is_documented, "{path} {credentials}");
                sufficient += usize::from(is_granted && !is_open);
            } else {
                assert!(is_documented || !is_granted, "{path} {credentials}");
            }
        }
    }
    assert_eq!(sufficient, 26);
}
