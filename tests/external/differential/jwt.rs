//! Tokens, compared with `jose` and PyJWT.
//!
//! All three have the same settings: the keys with the name `k1`, one for each algorithm; issuer and audience; the
//! claims `iss`, `aud`, `sub` and `exp` are required; the clock stands still, with a leeway of 60 seconds.

mod claims;
mod corpus;
mod headers;
mod keys;
mod serialization;
mod table;

use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::{Jwt, JwtKey};
use futures_util::FutureExt;
use serde_json::{Value, json};

use self::corpus::{NOW, Token};
use self::keys::{ALGORITHMS, Keys};
use crate::known::{Seen, compare};
use crate::lab;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://api.example";

/// Returns our verifier.
fn verifier(keys: &Keys) -> Jwt {
    let clock = ManualClock::new(UNIX_EPOCH + Duration::from_secs(NOW)).clock();
    let mut jwt = Jwt::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .clock(clock);
    for (algorithm, name) in ALGORITHMS {
        let public = keys.public(name);
        let key = match name.starts_with("HS") {
            true => JwtKey::secret(algorithm, public),
            false => JwtKey::pem(algorithm, public),
        };
        jwt = jwt.key(key.expect("a key").with_id("k1"));
    }
    jwt.build().expect("a verifier")
}

/// Returns the subjects that a script reads in the tokens, `None` for those that it rejects.
fn subjects(program: &mut Command, input: &std::path::Path) -> Vec<Option<String>> {
    let output = program.arg(input).current_dir(lab()).output();
    let output = output.unwrap_or_else(|error| panic!("{program:?}: {error}"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let results: Vec<Value> = serde_json::from_slice(&output.stdout).expect("results");
    let subject = |result: Value| {
        let text = result.get("subject")?.as_str()?.to_owned();
        let value = serde_json::from_str::<Value>(&text);
        Some(value.map_or(text, |value| value.to_string()))
    };
    results.into_iter().map(subject).collect()
}

#[test]
fn jose_and_pyjwt_accept_same_tokens() {
    let keys = Keys::new();
    let tokens = corpus::all(&keys);
    assert!(tokens.len() >= 2_000, "{}", tokens.len());

    let keys_of = ALGORITHMS.map(|(_, name)| (name.to_owned(), json!(keys.public(name))));
    let input = json!({
        "issuer": ISSUER, "audience": AUDIENCE, "now": NOW, "leeway": 60, "id": "k1",
        "keys": Value::Object(keys_of.into_iter().collect()),
        "tokens": tokens.iter().map(|token| &token.text).collect::<Vec<_>>(),
    });
    let file = lab().join("differential-tokens.json");
    std::fs::write(&file, input.to_string()).expect("a file");
    let jose = subjects(Command::new("node").arg("differential_jwt.mjs"), &file);
    let python = lab().join("venv/bin/python");
    let pyjwt = subjects(Command::new(python).arg("differential_jwt.py"), &file);
    assert_eq!((jose.len(), pyjwt.len()), (tokens.len(), tokens.len()));

    let verifier = verifier(&keys);
    let own = |token: &Token| {
        let caller = verifier.verify(&token.text).now_or_never();
        let caller = caller.expect("the keys are given");
        caller
            .identity()
            .map(|identity| json!(identity.subject()).to_string())
    };
    let seen: Vec<_> = tokens
        .iter()
        .zip(jose.into_iter().zip(pyjwt))
        .map(|(token, (jose, pyjwt))| Seen {
            kind: token.kind.clone(),
            input: token.text.clone(),
            results: [own(token), jose, pyjwt],
        })
        .collect();
    compare(
        &seen,
        ["this framework", "jose", "PyJWT"],
        table::DISAGREEMENTS,
    );
}
