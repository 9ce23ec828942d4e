//! Requests over a socket.

use crate::credentials::fill_in;
use crate::expect::{self, Response};
use crate::policies::{Circumstances, serve, service};
use crate::vector::{Http, Request, Vector, Vectors};

pub(crate) fn run(vector: &Vector, http: &Http, vectors: &Vectors) -> Result<(), String> {
    let policy = vectors
        .policies
        .get(&http.policy)
        .ok_or_else(|| format!("no policy is called {}", http.policy))?;
    let credential = http.request.credential.as_deref().unwrap_or("none");
    let circumstances = Circumstances {
        verifier_is_down: credential == "jwks.down",
        storing_layer: vector.id == "V-9111-3-b-3",
    };
    let app = service(policy, circumstances)?;
    let headers = headers_of(credential, vectors)?;
    block_on(async {
        let address = serve(app).await;
        let send = async |target: &str| {
            let text = request_text(&http.request, target, &headers)?;
            Response::read(
                &auth_tests::send_raw(address, text).await,
                &http.request.method,
            )
        };
        let seen = send(&fill_in(&http.request.target)?).await?;
        let unknown = send("/no-such-path").await?;
        expect::check(&http.expect, &seen, &unknown, &headers)
    })
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}

fn headers_of(credential: &str, vectors: &Vectors) -> Result<Vec<(String, String)>, String> {
    let credential = vectors
        .credentials
        .get(credential)
        .ok_or_else(|| format!("no credential is called {credential}"))?;
    let single = credential.headers.clone().into_iter();
    single
        .chain(credential.headers_list.clone())
        .map(|(name, value)| Ok((name, fill_in(&value)?)))
        .collect()
}

/// The request as it goes over the wire.
pub(crate) fn request_text(
    request: &Request,
    target: &str,
    credentials: &[(String, String)],
) -> Result<String, String> {
    let body = fill_in(&request.body)?;
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
