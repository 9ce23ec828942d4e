//! curl in the steps of docker: a 401, a token for the scope of its challenge, and the request again.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::container::Registry;
use auth_tests::programs::install;

/// A response: its status, and the parameters of its challenge.
struct Answer {
    status: u16,
    challenge: BTreeMap<String, String>,
    body: String,
}

fn curl(arguments: &[&str]) -> Answer {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--include"]).args(arguments);
    let output = curl.output().expect("curl runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let challenge = head
        .lines()
        .find_map(|line| line.strip_prefix("www-authenticate: "));
    Answer {
        status: status.expect("a status"),
        challenge: challenge.map(parameters).unwrap_or_default(),
        body: body.to_owned(),
    }
}

/// Parses the challenge by the steps of docker's client: the scheme, then names with tokens or quoted strings,
/// until something else follows.
fn parameters(challenge: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    // The token server itself asks for a password.
    let mut rest = challenge.strip_prefix("Bearer").unwrap_or_default();
    loop {
        rest = rest.trim_start();
        let Some((name, behind)) = rest.split_once('=') else {
            return parameters;
        };
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').expect("a second quote"),
            None => behind.split_at(behind.find([',', ' ']).unwrap_or(behind.len())),
        };
        parameters.insert(name.to_ascii_lowercase(), value.to_owned());
        rest = behind.trim_start().strip_prefix(',').unwrap_or_default();
    }
}

/// Requests a token for the scope of a challenge.
fn token_for(challenge: &BTreeMap<String, String>, user: &str) -> Option<String> {
    let parameter = |name: &str| {
        let value = challenge.get(name).map(|value| format!("{name}={value}"));
        value
            .into_iter()
            .flat_map(|value| ["--data-urlencode".to_owned(), value])
    };
    let user = format!("{user}:secret");
    let mut arguments = vec!["--get", "--user", &user, &challenge["realm"]];
    let query: Vec<String> = parameter("service").chain(parameter("scope")).collect();
    arguments.extend(query.iter().map(String::as_str));
    let answer = curl(&arguments);
    assert!([200, 401].contains(&answer.status), "{}", answer.body);
    let answer: Value = serde_json::from_str(&answer.body).ok()?;
    Some(answer.get("token")?.as_str()?.to_owned())
}

fn with_token(token: &str, arguments: &[&str]) -> Answer {
    let field = format!("Authorization: Bearer {token}");
    curl(&[&["--header", field.as_str()][..], arguments].concat())
}

#[test]
fn a_client_follows_the_challenges() {
    install("curl", "curl");
    let registry = Registry::start();
    let url = |path: &str| format!("{}{path}", registry.base);

    let start = curl(&[&url("/v2/")]);
    assert_eq!(start.status, 401);
    assert_eq!(start.challenge["realm"], registry.token_server);
    assert_eq!(start.challenge["service"], auth_tests::AUDIENCE);
    assert_eq!(start.challenge.len(), 2);
    let token = token_for(&start.challenge, "bob").expect("a token");
    assert_eq!(with_token(&token, &[&url("/v2/")]).status, 200);

    // The same token is not for a repository.
    let manifest = url("/v2/ann/web/manifests/1");
    let denied = with_token(&token, &[&manifest]);
    assert_eq!(denied.status, 401);
    assert_eq!(denied.challenge["scope"], "repository:ann/web:pull");
    assert_eq!(denied.challenge["error"], "insufficient_scope");
    assert!(denied.body.contains("UNAUTHORIZED"), "{}", denied.body);
    let token = token_for(&denied.challenge, "bob").expect("a token");
    // It is allowed, and nothing is there yet.
    assert_eq!(with_token(&token, &[&manifest]).status, 404);

    let content = [
        "--request",
        "PUT",
        "--header",
        "Content-Type: application/json",
        "--data",
        "{}",
    ];
    let push = [&content[..], &[manifest.as_str()][..]].concat();
    let denied = with_token(&token, &push);
    assert_eq!(denied.status, 401);
    assert_eq!(denied.challenge["scope"], "repository:ann/web:pull,push");
    let of_bob = token_for(&denied.challenge, "bob").expect("a token");
    assert_eq!(with_token(&of_bob, &push).status, 401);
    let of_ann = token_for(&denied.challenge, "ann").expect("a token");
    assert_eq!(with_token(&of_ann, &push).status, 201);
    assert_eq!(with_token(&of_bob, &[&manifest]).body, "{}");
    assert_eq!(token_for(&denied.challenge, "eve"), None);
}
