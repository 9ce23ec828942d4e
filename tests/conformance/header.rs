//! Written challenges.

use auth_runtime::challenge::{Challenge, ChallengeBuilder, ChallengeContext, ChallengeError};
use auth_runtime::schemes::{Credentials, Scheme, Verification};
use auth_runtime::{Caller, Policy, ProtectionSpace, Requirement};
use serde_json::Value;

use crate::http_vectors::block_on;
use crate::vector::{Given, Header};

/// Parameters with human-readable texts, which may have any source at run time.
const TEXTS: [&str; 1] = ["error_description"];
/// Parameters that RFC 7616 §3.3 requires without quotes.
const TOKENS_OF_DIGEST: [&str; 4] = ["algorithm", "stale", "charset", "userhash"];

/// A scheme that sends the challenge of a vector.
struct OfVector {
    name: String,
    challenge: Challenge,
}

impl Scheme for OfVector {
    fn name(&self) -> &str {
        &self.name
    }

    fn verify(&self, _credentials: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }

    fn challenge(&self, _occasion: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        Ok(self.challenge.clone())
    }
}

/// Sends the challenge through a whole space, as to a client.
pub(crate) fn run(header: &Header) -> Result<(), String> {
    let mut builder = ProtectionSpace::builder().realm("unused");
    if header.note.contains("one_line") {
        builder = builder.join_challenges(true);
    }
    for given in &header.given {
        builder = builder.scheme(OfVector {
            name: given.scheme.clone(),
            challenge: challenge(given).map_err(|error| format!("refused: {error}"))?,
        });
    }
    let space = builder.build().map_err(|error| error.to_string())?;
    let (head, ()) = http::Request::new(()).into_parts();
    let policy = Policy::requires(Requirement::authenticated());
    let denied = block_on(space.authorize(&policy, &head))
        .err()
        .ok_or("let in")?;
    let lines: Vec<&str> = denied
        .headers()
        .get_all(http::header::WWW_AUTHENTICATE)
        .iter()
        .map(|line| line.to_str().unwrap_or("no ASCII"))
        .collect();
    if lines == header.expect.lines {
        return Ok(());
    }
    Err(format!(
        "expected: {:#?}\nseen: {lines:#?}",
        header.expect.lines
    ))
}

/// A challenge that the builder rejects is never sent. Any other one has to match the vector.
fn challenge(given: &Given) -> Result<Challenge, ChallengeError> {
    let mut challenge = Challenge::builder(&given.scheme);
    for (name, value) in &given.params {
        let with = add(challenge.clone(), &given.scheme, name, value);
        if with.clone().build().is_ok() {
            challenge = with;
        }
    }
    challenge.build()
}

fn add(challenge: ChallengeBuilder, scheme: &str, name: &str, value: &Value) -> ChallengeBuilder {
    let is_token = scheme.eq_ignore_ascii_case("Digest") && TOKENS_OF_DIGEST.contains(&name);
    match value {
        Value::Null => challenge,
        Value::Array(scopes) => challenge.scopes(scopes.iter().filter_map(Value::as_str)),
        Value::String(text) if TEXTS.contains(&name) => challenge.text(name, text),
        Value::String(text) if name == "realm" && !text.is_ascii() => challenge.text(name, text),
        Value::String(text) if is_token => challenge.token(name, text),
        Value::String(text) => challenge.quoted(name, text),
        other => challenge.quoted(name, other.to_string()),
    }
}
