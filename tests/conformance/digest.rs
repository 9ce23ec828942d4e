//! Digest: a scheme for the policies of the vectors, and responses of all kinds to it.

use auth_runtime::clock::Clock;
use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestSecret};
use auth_runtime::{Caller, Identity, Policy, ProtectionSpace, Requirement};
use auth_tests::digest::Login;
use http_auth::parse_challenges;

use crate::expect::Response;
use crate::http_vectors::block_on;
use crate::vector::{self, Compute, Hashed};

const REALM: &str = "lab";
const USER: &str = "user";
const PASSWORD: &str = "pass";

pub(crate) fn scheme(wanted: &vector::Policy, clock: Clock) -> Result<Digest, String> {
    let names = wanted.digest.algs.iter();
    let algorithms = names.map(|name| algorithm(name));
    let algorithms: Vec<DigestAlgorithm> = algorithms.collect::<Result<_, _>>()?;
    let mut builder = Digest::builder(REALM).algorithms(algorithms.clone());
    for algorithm in algorithms {
        let secret = DigestSecret::of(algorithm, USER, REALM, PASSWORD);
        let secret = secret.map_err(|error| error.to_string())?;
        builder = builder.user(secret, Identity::new(USER));
    }
    if wanted.digest.userhash {
        builder = builder.userhash();
    }
    builder
        .clock(clock)
        .build()
        .map_err(|error| error.to_string())
}

fn algorithm(name: &str) -> Result<DigestAlgorithm, String> {
    match name {
        "SHA-256" => Ok(DigestAlgorithm::Sha256),
        "MD5" => Ok(DigestAlgorithm::Md5),
        other => Err(format!("there is no algorithm {other}")),
    }
}

/// Returns the nonce of the challenge for this algorithm.
fn nonce(refused: &Response, algorithm: &str) -> Option<String> {
    refused.values("www-authenticate").find_map(|line| {
        let challenges = parse_challenges(line).ok()?;
        let value = |name: &str| {
            let mut named = challenges.iter().flat_map(|challenge| &challenge.params);
            let (_, value) = named.find(|(own, _)| *own == name)?;
            Some(value.to_unescaped())
        };
        (value("algorithm")? == algorithm).then_some(value("nonce")?)
    })
}

/// Returns the response of a client with this credential.
pub(crate) fn authorization(
    credential: &str,
    refused: &Response,
    target: &str,
) -> Result<String, String> {
    let (of_nonce, algorithm) = match credential {
        "digest.md5" => ("MD5", "MD5"),
        "digest.md5default" => ("SHA-256", "MD5"),
        _ => ("SHA-256", "SHA-256"),
    };
    let mut login = Login {
        nonce: nonce(refused, of_nonce).ok_or("there is no challenge for that")?,
        uri: target.to_owned(),
        ..Login::new(algorithm, USER, REALM, PASSWORD)
    };
    match credential {
        "digest.wrong" | "digest.stalewrong" => login.password = "wrong".to_owned(),
        "digest.uri" => login.uri = "/other".to_owned(),
        "digest.foreignnonce" => login.nonce = "never-made-here".to_owned(),
        _ => {}
    }
    let sent = login.authorization();
    let username = format!("username=\"{USER}\"");
    Ok(match credential {
        "digest.tokens" => {
            let upper = sent.split(", ").map(|parameter| {
                let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                let value = match name {
                    "algorithm" | "qop" | "nc" => format!("\"{value}\""),
                    "uri" => value.to_owned(),
                    _ => value.trim_matches('"').to_owned(),
                };
                format!("{}={value}", name.to_uppercase())
            });
            upper.collect::<Vec<_>>().join(", ")
        }
        "digest.userhash" => {
            let hashed = format!("username=\"{}\", userhash=true", login.user_hash());
            sent.replace(&username, &hashed)
        }
        "digest.md5default" => sent.replace(" algorithm=MD5,", ""),
        "digest.twonames" => {
            sent.replace(&username, &format!("{username}, username*=UTF-8''{USER}"))
        }
        "digest.nocnonce" => sent.replace(&format!(" cnonce=\"{}\",", login.client_nonce), ""),
        _ => sent,
    })
}

/// Each 401 has a nonce of its own.
pub(crate) fn check_nonces(one: &Response, other: &Response) -> Result<(), String> {
    match (nonce(one, "SHA-256"), nonce(other, "SHA-256")) {
        (Some(one), Some(other)) if one == other => Err(format!("{one} was given out twice")),
        _ => Ok(()),
    }
}

/// Tests the arithmetic with the nonce of another server: only a correct response receives
/// `stale=true`.
pub(crate) fn compute(vector: &Compute) -> Result<(), String> {
    let given = &vector.given;
    let algorithm = algorithm(&given.algorithm)?;
    let secret = DigestSecret::of(algorithm, &given.username, &given.realm, &given.password);
    let scheme = Digest::builder(&given.realm)
        .algorithms([algorithm])
        .user(
            secret.map_err(|error| error.to_string())?,
            Identity::new("whoever"),
        )
        .build();
    let space = ProtectionSpace::builder()
        .realm(&given.realm)
        .scheme(scheme.map_err(|error| error.to_string())?)
        .build()
        .map_err(|error| error.to_string())?;
    let right = &vector.expect.response;
    let wrong: String = right.chars().rev().collect();
    for (response, is_right) in [(right, true), (&wrong, false)] {
        if says_stale(&space, given, response)? != is_right {
            return Err(format!("{response} is taken for the opposite"));
        }
    }
    Ok(())
}

fn says_stale(space: &ProtectionSpace, given: &Hashed, response: &str) -> Result<bool, String> {
    let authorization = format!(
        "Digest username=\"{}\", realm=\"{}\", uri=\"{}\", algorithm={}, nonce=\"{}\", nc={}, \
         cnonce=\"{}\", qop=auth, response=\"{response}\"",
        given.username,
        given.realm,
        given.uri,
        given.algorithm,
        given.nonce,
        given.nc,
        given.cnonce,
    );
    let request = http::Request::builder()
        .method(given.method.as_str())
        .uri(&given.uri)
        .header("authorization", authorization)
        .body(());
    let (head, ()) = request.map_err(|error| error.to_string())?.into_parts();
    let policy = Policy::requires(Requirement::authenticated());
    let caller: Result<Caller, _> = block_on(space.authorize(&policy, &head));
    let refused = caller
        .err()
        .ok_or("let in over the nonce of another server's")?;
    let line = refused.headers().get("www-authenticate");
    let line = line.and_then(|line| line.to_str().ok());
    Ok(line.ok_or("there is no challenge")?.contains("stale=true"))
}
