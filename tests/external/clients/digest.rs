//! A service for clients with Digest, and the behaviour of curl and wget.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::schemes::{Basic, Digest, DigestAlgorithm, DigestBuilder, DigestSecret};
use auth_runtime::{Caller, Guard, GuardedRouter, Identity, ProtectionSpace, requires};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::Understood;

/// Returns the user name and the scheme.
#[requires(authenticated)]
async fn who(guard: Guard, headers: HeaderMap) -> Json<Value> {
    let sent = headers.get(AUTHORIZATION);
    let sent = sent.and_then(|sent| sent.to_str().ok()).unwrap_or_default();
    let parameter = |name: &str| {
        let named = sent
            .split([' ', ','])
            .filter_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        named.map(|value| value.trim_matches('"').to_owned()).next()
    };
    let subject = guard.identity().subject();
    Json(json!({
        "subject": subject, "algorithm": parameter("algorithm"), "nc": parameter("nc"),
        "hides_name": parameter("username").is_some_and(|name| name != subject),
    }))
}

fn realm(name: &str, algorithms: &[DigestAlgorithm]) -> DigestBuilder {
    let mut realm = Digest::builder(name).algorithms(algorithms.iter().copied());
    for algorithm in algorithms {
        let secret = DigestSecret::of(*algorithm, "ann", name, "secret");
        realm = realm.user(secret.expect("a secret"), Identity::new("ann"));
    }
    realm
}

/// Returns a service below `name` with a space of its own. The one named `beside-basic` also offers
/// Basic, which accepts no user.
fn service(name: &str, realm: DigestBuilder) -> Router {
    let mut space = ProtectionSpace::builder()
        .realm(name)
        .scheme(realm.build().expect("a scheme"));
    if name == "beside-basic" {
        space = space.scheme(Basic::new(async |_, _| Caller::rejected()));
    }
    let router = GuardedRouter::new()
        .route("/who", get(who))
        .protect(space.build().expect("a space"));
    Router::new().nest_service(&format!("/{name}"), router.expect("a router"))
}

/// Serves as long as the runtime lives.
pub(crate) fn start() -> (Runtime, String) {
    let (sha256, md5) = (DigestAlgorithm::Sha256, DigestAlgorithm::Md5);
    let brief = realm("brief", &[sha256]).nonce_lifetime(Duration::from_millis(500));
    let app = service("sha256", realm("sha256", &[sha256]))
        .merge(service("both", realm("both", &[sha256, md5])))
        .merge(service("beside-basic", realm("beside-basic", &[sha256])))
        .merge(service("hashed", realm("hashed", &[sha256]).userhash()))
        .merge(service("brief", brief));
    let runtime = Runtime::new().expect("a runtime");
    let address: SocketAddr = runtime.block_on(auth_tests::serve(app));
    (runtime, format!("http://{address}"))
}

pub(crate) fn curl(base: &str) -> Vec<Understood> {
    let log_in = |arguments: &[&str], path: &str| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--user", "ann:secret"])
            .args(["--write-out", "\n%{http_code}\n"])
            .args(arguments)
            .arg(format!("{base}{path}"));
        let output = curl.output().expect("curl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines.collect::<Vec<Value>>()
    };
    let row = |behaviour: &str, understood: Vec<Value>| Understood {
        client: "curl".to_owned(),
        behaviour: behaviour.to_owned(),
        understood: json!(understood),
    };
    vec![
        row(
            "logs in by Digest",
            log_in(&["--digest"], "/both/who?a=%20b"),
        ),
        row(
            "picks Digest before Basic (--anyauth)",
            log_in(&["--anyauth"], "/beside-basic/who"),
        ),
        row(
            "hides its user's name",
            log_in(&["--digest"], "/hashed/who"),
        ),
    ]
}

pub(crate) fn wget(base: &str) -> Vec<Understood> {
    let log_in = |path: &str| {
        let mut wget = Command::new("wget");
        wget.args([
            "--quiet",
            "--output-document=-",
            "--user=ann",
            "--password=secret",
        ])
        .arg(format!("{base}{path}"));
        let output = wget.output().expect("wget runs");
        let body: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        json!({ "exit": output.status.code(), "subject": body["subject"], "algorithm": body["algorithm"] })
    };
    let row = |behaviour: &str, path: &str| Understood {
        client: "wget".to_owned(),
        behaviour: behaviour.to_owned(),
        understood: log_in(path),
    };
    vec![
        row(
            "logs in by Digest with MD5, where it is offered",
            "/both/who",
        ),
        row("is refused where MD5 is not offered", "/sha256/who"),
    ]
}

/// Returns the expected interpretation of each client.
pub(crate) fn expected() -> Vec<(&'static str, &'static str, Value)> {
    let who = |algorithm: &str, count: u32| {
        json!({
            "subject": "ann", "algorithm": algorithm, "nc": format!("{count:08x}"),
            "hides_name": false,
        })
    };
    let hidden = json!({
        "subject": "ann", "algorithm": "SHA-256", "nc": "00000001", "hides_name": true,
    });
    vec![
        ("curl", "logs in by Digest", json!([who("SHA-256", 1), 200])),
        (
            "curl",
            "picks Digest before Basic (--anyauth)",
            json!([who("SHA-256", 1), 200]),
        ),
        ("curl", "hides its user's name", json!([hidden, 200])),
        (
            "wget",
            "logs in by Digest with MD5, where it is offered",
            json!({ "exit": 0, "subject": "ann", "algorithm": "MD5" }),
        ),
        (
            "wget",
            "is refused where MD5 is not offered",
            json!({ "exit": 6, "subject": null, "algorithm": null }),
        ),
        ("requests", "logs in by Digest", who("MD5", 1)),
        (
            "requests",
            "logs in by Digest where there is SHA-256 only",
            who("SHA-256", 1),
        ),
        (
            "requests",
            "counts how often it used a nonce",
            who("SHA-256", 2),
        ),
        (
            "requests",
            "goes on when its nonce ran out",
            json!([200, 401, 200]),
        ),
        (
            "requests",
            "is refused by Digest with a wrong password",
            json!(401),
        ),
        ("httpx", "logs in by Digest", who("SHA-256", 1)),
        (
            "httpx",
            "counts how often it used a nonce",
            who("SHA-256", 2),
        ),
        (
            "httpx",
            "goes on when its nonce ran out",
            json!([200, 401, 200]),
        ),
        (
            "httpx",
            "is refused by Digest with a wrong password",
            json!(401),
        ),
    ]
}
