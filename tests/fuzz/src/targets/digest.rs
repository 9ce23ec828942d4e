//! Digest (RFC 7616). The nonce and the hash of the input's own parameters are filled in.

use auth_runtime::schemes::{Digest, DigestAlgorithm};
use auth_runtime::{Identity, ProtectedRouter, ProtectionSpace};
use auth_tests::digest::Login;
use http_auth::parse_challenges;

use super::requests::{Sent, fill};
use super::service::{Service, Subject, clock, router, service};
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "digest",
    cost: 1,
    dictionary: &[
        "authorization: Digest ",
        "username=\"ann\"",
        "realm=\"lab\"",
        "nonce=\"{nonce}\"",
        "uri=\"{path}\"",
        "algorithm=SHA-256",
        "algorithm=MD5",
        "algorithm=SHA-256-sess",
        "qop=auth",
        "qop=\"auth\"",
        "qop=auth-int",
        "nc=00000001",
        "nc=00000002",
        "cnonce=\"0a4f113b\"",
        "response=\"{response}\"",
        "{md5}",
        "opaque=\"x\"",
        "userhash=true",
        "userhash=false",
        "username*=UTF-8''ann",
        "charset=UTF-8",
        ", ",
        "?a=b",
        "POST ",
    ],
    start: || service(Logins::default()),
};

/// `printf ann:lab:secret | sha256sum`, and `md5sum`.
const SECRETS: [&str; 2] = [
    "ann:lab:9e3c31432b52c9f473cfa547eda63f50dc9c66927b57216afcd386749f90d25a",
    "ann:lab:e2ddb53df762616c294c41e1c3aca2b8",
];

#[derive(Default)]
struct Logins {
    /// The nonce of the service at this path, and the number of requests with it.
    nonces: std::collections::HashMap<String, (String, u32)>,
}

/// The number of requests with one nonce.
const USES: u32 = 8;

impl Logins {
    fn nonce(&mut self, path: &str, service: &Service) -> String {
        let (nonce, uses) = self.nonces.entry(path.to_owned()).or_default();
        if uses.is_multiple_of(USES) {
            let sent = Sent::parse(b"GET", super::service::SHOWN).expect("a request");
            let answer = service.respond(sent.to_request());
            let line = answer.lines("www-authenticate")[0].to_owned();
            let challenges = parse_challenges(&line).expect("challenges");
            let mut parameters = challenges[0].params.iter();
            let (_, value) = parameters
                .find(|(name, _)| *name == "nonce")
                .expect("a nonce");
            *nonce = value.to_unescaped();
        }
        *uses += 1;
        nonce.clone()
    }
}

/// The first value of a parameter in the text, quoted or not. Its name is in any case, and whitespace may surround `=`
/// (RFC 9110 §11.2).
fn parameter(input: &str, name: &str) -> String {
    let whitespace = [' ', '\t'];
    let folded = input.to_ascii_lowercase();
    let is_whole = |at: usize| !folded[..at].ends_with(|before: char| before.is_alphanumeric());
    let mut found = folded.match_indices(name).filter(|(at, _)| is_whole(*at));
    let value = found.find_map(|(at, _)| {
        let after = input[at + name.len()..].trim_start_matches(whitespace);
        after.strip_prefix('=')
    });
    let value = value.unwrap_or_default().trim_start_matches(whitespace);
    match value.strip_prefix('"') {
        Some(quoted) => unescaped(quoted),
        None => {
            let token = value.split([',', ' ', '\n']).next();
            token.unwrap_or_default().to_owned()
        }
    }
}

/// The text up to the end of a quoted string, without the backslashes of its pairs (RFC 9110 §5.6.4).
fn unescaped(quoted: &str) -> String {
    let mut text = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

fn login(sent: &str, algorithm: &str, method: &str) -> Login {
    Login {
        nonce: parameter(sent, "nonce"),
        uri: parameter(sent, "uri"),
        count: parameter(sent, "nc"),
        client_nonce: parameter(sent, "cnonce"),
        method: method.to_owned(),
        ..Login::new(algorithm, "ann", "lab", "secret")
    }
}

impl Subject for Logins {
    fn router(&self) -> ProtectedRouter {
        let digest = Digest::builder("lab")
            .algorithms([DigestAlgorithm::Sha256, DigestAlgorithm::Md5])
            .userhash()
            .nonce_key([7; 32])
            .clock(clock());
        let digest = SECRETS.iter().fold(digest, |digest, secret| {
            digest.user(secret.parse().expect("a secret"), Identity::new("ann"))
        });
        let digest = digest.build().expect("the scheme is in order");
        let space = ProtectionSpace::builder().realm("lab").scheme(digest);
        router(space.build().expect("a space"))
    }

    fn fill(&mut self, input: &[u8], path: &str, service: &Service) -> Vec<u8> {
        let nonce = self.nonce(path, service);
        let input = fill(input, &[("path", path), ("nonce", &nonce)]);
        let text = String::from_utf8_lossy(&input);
        let method = text.split_whitespace().next().unwrap_or_default();
        let response = login(&text, "SHA-256", method).response();
        let md5 = login(&text, "MD5", method).response();
        fill(&input, &[("response", &response), ("md5", &md5)])
    }

    /// One line with the hash of the password for this request.
    fn may_be_granted(&self, sent: &Sent) -> bool {
        let Some(line) = sent.only("authorization") else {
            return false;
        };
        let method = sent.method.as_str();
        let mut algorithms = ["SHA-256", "MD5"].into_iter();
        let is_signed = algorithms.any(|algorithm| {
            let response = login(line, algorithm, method).response();
            line.to_ascii_lowercase().contains(&response)
        });
        is_signed && sent.uri == *parameter(line, "uri")
    }
}
