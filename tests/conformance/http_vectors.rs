//! Requests over a socket.

use std::time::{Duration, SystemTime};

use auth_runtime::clock::ManualClock;

use crate::certificates;
use crate::credentials::fill_in;
use crate::digest;
use crate::expect::{self, Response};
use crate::introspection;
use crate::policies::{Circumstances, serve, service};
use crate::sessions;
use crate::vector::{Http, Request, Vector, Vectors};

pub(crate) fn run(vector: &Vector, http: &Http, vectors: &Vectors) -> Result<(), String> {
    let policy = vectors
        .policies
        .get(&http.policy)
        .ok_or_else(|| format!("no policy is called {}", http.policy))?;
    let credential = http.request.credential.as_deref().unwrap_or("none");
    block_on(async {
        let (sessions, session) = match policy.schemes.iter().any(|scheme| scheme == "cookie") {
            true => {
                let (store, id) = sessions::start().await?;
                (Some(store), id)
            }
            false => (None, String::new()),
        };
        let time = ManualClock::new(SystemTime::now());
        let circumstances = Circumstances {
            verifier_is_down: credential == "jwks.down",
            introspection: match policy.introspect {
                true => Some(introspection::start(credential, time.clock()).await?),
                false => None,
            },
            certificates: match policy.mtls {
                true => Some(certificates::told_by(credential)?),
                false => None,
            },
            clock: time.clock(),
            sessions,
            storing_layer: vector.id == "V-9111-3-b-3",
        };
        let app = service(policy, circumstances)?;
        let address = match policy.mtls {
            true => certificates::serve(app).await,
            false => serve(app).await,
        };
        let answer = async |target: &str, headers: &[(String, String)]| {
            let text = request_text(&http.request, target, headers)?;
            let answer = match policy.mtls {
                true => certificates::send_raw(address, text).await,
                false => auth_tests::send_raw(address, text).await,
            };
            Response::read(&answer, &http.request.method)
        };
        let target = fill_in(&http.request.target, credential, None)?;
        let nonce = match policy.dpop.nonce {
            true => {
                let first = answer(&target, &[]).await?;
                first.values("dpop-nonce").next().map(str::to_owned)
            }
            false => None,
        };
        let mut headers = headers_of(credential, nonce.as_deref(), vectors)?;
        if credential == "cookie.good" {
            for (_, value) in &mut headers {
                *value = value.replace("good", &session);
            }
        }
        if credential == "cert.header" {
            headers.push(certificates::forged_field());
        }
        if credential.starts_with("digest.") {
            let refused = answer(&target, &[]).await?;
            let authorization = digest::authorization(credential, &refused, &target)?;
            headers.push(("Authorization".to_owned(), authorization));
            if ["digest.stale", "digest.stalewrong"].contains(&credential) {
                time.advance(Duration::from_secs(301));
            }
        }
        if ["dpop.replay", "opaque.cached", "digest.replay"].contains(&credential) {
            let first = answer(&target, &headers).await?;
            if first.status != 200 {
                return Err(format!("the first request was answered {}", first.status));
            }
        }
        if credential == "opaque.cached" {
            time.advance(Duration::from_secs(3));
        }
        let seen = answer(&target, &headers).await?;
        let unknown = answer("/no-such-path", &headers).await?;
        if policy.schemes.iter().any(|scheme| scheme == "digest") {
            let other = answer(&target, &headers).await?;
            digest::check_nonces(&seen, &other)?;
        }
        expect::check(&http.expect, &seen, &unknown, &headers)
    })
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}

fn headers_of(
    name: &str,
    nonce: Option<&str>,
    vectors: &Vectors,
) -> Result<Vec<(String, String)>, String> {
    let credential = vectors
        .credentials
        .get(name)
        .ok_or_else(|| format!("no credential is called {name}"))?;
    let single = credential.headers.clone().into_iter();
    single
        .chain(credential.headers_list.clone())
        .map(|(field, value)| Ok((field, fill_in(&value, name, nonce)?)))
        .collect()
}

/// Returns the request as sent.
pub(crate) fn request_text(
    request: &Request,
    target: &str,
    credentials: &[(String, String)],
) -> Result<String, String> {
    let body = fill_in(&request.body, "none", None)?;
    let mut text = format!(
        "{} {target} HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n",
        request.method
    );
    for (name, value) in credentials.iter().chain(&request.headers) {
        text += &format!("{name}: {value}\r\n");
    }
    let says_length = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-length");
    if !body.is_empty() && !request.headers.iter().any(says_length) {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    Ok(format!("{text}\r\n{body}"))
}
