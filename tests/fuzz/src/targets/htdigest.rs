//! Lines of an `htdigest` file, `user:realm:hash`. The users of the accepted lines log in.

use std::collections::BTreeSet;

use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestError, DigestSecret};
use auth_runtime::{Identity, ProtectionSpace};
use auth_tests::digest::Login;
use http_auth::parse_challenges;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::requests::Sent;
use super::service::{SHOWN, Service, clock, router};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "htdigest",
    cost: 4,
    dictionary: &[
        "ann",
        "bob",
        ":",
        "::",
        "lab",
        ":lab:",
        ":other:",
        "e2ddb53df762616c294c41e1c3aca2b8",
        "9e3c31432b52c9f473cfa547eda63f50dc9c66927b57216afcd386749f90d25a",
        "E2DDB53DF762616C294C41E1C3ACA2B8",
        "ann:lab:e2ddb53df762616c294c41e1c3aca2b8\n",
        "0123456789abcdef",
        "é",
        "٣",
        "\u{85}",
        "\r\n",
        "\n",
        "#",
    ],
    start,
};

const REALM: &str = "lab";
/// The maximum number of lines.
const MAX_LINES: usize = 32;
/// The maximum number of users that log in.
const MAX_LOGINS: usize = 3;

fn start() -> Check {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input);
        let mut messages = Vec::new();
        let mut secrets = Vec::new();
        for line in text.split('\n').take(MAX_LINES) {
            match line.parse::<DigestSecret>() {
                Ok(secret) => {
                    check_secret(line, &secret);
                    secrets.push(secret);
                }
                Err(error) => {
                    assert_eq!(parts(line), None, "{error}");
                    let message = error.to_string();
                    // An error may be logged.
                    let hash = line.rsplit(':').next().unwrap_or_default();
                    let is_elsewhere = line.matches(hash).count() > 1;
                    let is_short = hash.len() < 32;
                    assert!(
                        is_short || is_elsewhere || !message.contains(hash),
                        "{message}"
                    );
                    messages.push(message);
                }
            }
        }
        let built = build(&secrets);
        let logins = ["SHA-256", "MD5"].map(|algorithm| log_in(&secrets, algorithm));
        let granted = logins.iter().sum::<usize>();
        let messages = Outcome::of_messages(messages);
        Outcome::of((messages, built, logins)).of_decision(granted > 0)
    })
}

/// Returns the user, the realm, the algorithm and the hash of a line. A realm may contain colons.
fn parts(line: &str) -> Option<(&str, &str, &'static str, String)> {
    let colons: Vec<usize> = line.match_indices(':').map(|(at, _)| at).collect();
    let (first, last) = (*colons.first()?, *colons.last()?);
    // One of them is the only colon, or the realm between two neighbours is empty.
    if last < first + 2 {
        return None;
    }
    let (user, realm, hash) = (&line[..first], &line[first + 1..last], &line[last + 1..]);
    let algorithm = match hash.len() {
        32 => "MD5",
        64 => "SHA-256",
        _ => return None,
    };
    let is_hexadecimal = |it: char| "0123456789abcdefABCDEF".contains(it);
    let is_control = |it: char| matches!(it as u32, 0..=0x1f | 0x7f..=0x9f);
    if user.is_empty() || user.contains(is_control) || !hash.chars().all(is_hexadecimal) {
        return None;
    }
    Some((user, realm, algorithm, hash.to_lowercase()))
}

fn check_secret(line: &str, secret: &DigestSecret) {
    let (user, realm, algorithm, hash) = parts(line).expect("a line");
    let found = (secret.user(), secret.realm(), secret.algorithm().name());
    assert_eq!(found, (user, realm, algorithm));
    let kept = secret.to_line();
    assert_eq!(kept, format!("{user}:{realm}:{hash}"));
    let again: DigestSecret = kept.parse().expect("the same line");
    assert_eq!(again.to_line(), kept);
    let is_elsewhere = [user, realm].iter().any(|part| part.contains(&hash));
    assert!(
        is_elsewhere || !format!("{secret:?}").contains(&hash),
        "a logged secret"
    );
}

fn key(secret: &DigestSecret) -> (&str, DigestAlgorithm) {
    (secret.user(), secret.algorithm())
}

fn number(user: usize) -> Identity {
    Identity::new(format!("user {user}"))
}

/// Builds the scheme with all users. Returns whether it was built.
fn build(secrets: &[DigestSecret]) -> bool {
    let algorithms: BTreeSet<_> = secrets.iter().map(DigestSecret::algorithm).collect();
    let users = secrets.iter().enumerate();
    let builder = Digest::builder(REALM).algorithms(algorithms.clone());
    let builder = users.fold(builder, |builder, (index, secret)| {
        builder.user(secret.clone(), number(index))
    });
    let keys: BTreeSet<_> = secrets.iter().map(key).collect();
    let is_complete = |user: &str| algorithms.iter().all(|it| keys.contains(&(user, *it)));
    let are_complete = secrets.iter().all(|secret| is_complete(secret.user()));
    let is_other = |secret: &DigestSecret| secret.realm() != REALM;
    let built = builder.build().map(drop);
    match &built {
        Ok(()) => {
            assert!(!secrets.is_empty() && are_complete);
            assert_eq!(keys.len(), secrets.len(), "a user twice");
            assert!(!secrets.iter().any(is_other), "another realm");
        }
        Err(DigestError::NoAlgorithm) => assert!(secrets.is_empty()),
        Err(DigestError::OtherRealm { .. }) => assert!(secrets.iter().any(is_other)),
        Err(DigestError::UserTwice(_)) => assert!(keys.len() < secrets.len()),
        Err(DigestError::NoSecret { user, .. }) => assert!(!is_complete(user)),
        Err(other) => panic!("{other}"),
    }
    built.is_ok()
}

/// The users of an algorithm log in, each with the hash of the first line. Returns their number.
fn log_in(secrets: &[DigestSecret], algorithm: &str) -> usize {
    let mut users: Vec<&DigestSecret> = Vec::new();
    for secret in secrets {
        let is_known = users.iter().any(|user| key(user) == key(secret));
        if secret.algorithm().name() == algorithm && secret.realm() == REALM && !is_known {
            users.push(secret);
        }
    }
    let Some(first) = users.first() else {
        return 0;
    };
    let builder = Digest::builder(REALM)
        .algorithms([first.algorithm()])
        .userhash()
        .nonce_key([7; 32])
        .clock(clock());
    let builder = users
        .iter()
        .enumerate()
        .fold(builder, |builder, (index, secret)| {
            builder.user((*secret).clone(), number(index))
        });
    let space = ProtectionSpace::builder().realm(REALM);
    let space = space.scheme(builder.build().expect("a table"));
    let service = Service::new(router(space.build().expect("a space")));
    let nonce = nonce(&service);
    users.truncate(MAX_LOGINS);
    for (index, user) in users.iter().enumerate() {
        let line = user.to_line();
        let secret = line.rsplit(':').next().unwrap_or_default();
        let count = format!("{:08x}", index + 1);
        let answer = |secret: &str, name: &str| {
            let request = hash(algorithm, &format!("GET:{SHOWN}"));
            let text = format!("{secret}:{nonce}:{count}:x:auth:{request}");
            let response = hash(algorithm, &text);
            let sent = format!(
                "GET\nauthorization: Digest {name}, realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{SHOWN}\", \
                 algorithm={algorithm}, qop=auth, nc={count}, cnonce=\"x\", response=\"{response}\""
            );
            let sent = Sent::parse(sent.as_bytes(), SHOWN).expect("a request");
            service.respond(sent.to_request())
        };
        let encoded = utf8_percent_encode(user.user(), NON_ALPHANUMERIC).to_string();
        // The response to longer credentials is 431.
        let name = if index % 2 == 0 && encoded.len() < ProtectionSpace::MAX_CREDENTIALS / 2 {
            format!("username*=UTF-8''{encoded}")
        } else {
            let hashed = hash(algorithm, &format!("{}:{REALM}", user.user()));
            format!("username=\"{hashed}\", userhash=true")
        };
        let other = hash(algorithm, &format!("other:{secret}"));
        assert_eq!(answer(&other, &name).status, 401, "{line}");
        let granted = answer(secret, &name);
        assert_eq!(granted.status, 200, "{line}");
        let expected = format!("user {index}");
        assert_eq!(granted.body, expected.as_bytes(), "{line}");
    }
    users.len()
}

/// Returns the nonce of a challenge.
fn nonce(service: &Service) -> String {
    let sent = Sent::parse(b"GET", SHOWN).expect("a request");
    let answer = service.respond(sent.to_request());
    let line = answer.lines("www-authenticate")[0].to_owned();
    let challenges = parse_challenges(&line).expect("challenges");
    let mut parameters = challenges[0].params.iter();
    let nonce = parameters.find(|(name, _)| *name == "nonce");
    nonce.expect("a nonce").1.to_unescaped()
}

/// Returns the hash of a text with a colon.
fn hash(algorithm: &str, text: &str) -> String {
    let (user, realm) = text.split_once(':').expect("a colon");
    Login::new(algorithm, user, realm, "").user_hash()
}
