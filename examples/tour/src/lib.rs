//! A tour of a service: requests of several callers over a socket, each with the expected response.

mod rows;

use std::error::Error;

use auth_runtime::ProtectedRouter;
use tokio::net::TcpListener;
use ureq::http::{HeaderValue, Request};

pub use self::rows::Rows;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// A caller of the tour.
pub struct Persona {
    name: &'static str,
    token: String,
    prove: Option<Prove>,
}

/// Returns the proof of possession (RFC 9449) for a request: from its method, its URL, the token and
/// the nonce of the service.
type Prove = Box<dyn Fn(&str, &str, &str, Option<&str>) -> Result<String>>;

impl Persona {
    /// Creates a caller with a Bearer token.
    pub fn new(name: &'static str, token: String) -> Self {
        let prove = None;
        Self { name, token, prove }
    }

    /// Adds a proof of possession to each request (DPoP, RFC 9449). The arguments of `prove` are the
    /// method, the URL, the token and the nonce of the service.
    pub fn with_proof(
        self,
        prove: impl Fn(&str, &str, &str, Option<&str>) -> Result<String> + 'static,
    ) -> Self {
        let prove: Option<Prove> = Some(Box::new(prove));
        Self { prove, ..self }
    }
}

/// A request, and the expected response.
struct Stop<'a> {
    method: &'a str,
    path: &'a str,
    name: &'a str,
    persona: Option<&'a Persona>,
    expected: String,
}

/// Binds port 3000, the port behind `--port`, or a free one for `--tour`. Also returns the base
/// URL.
///
/// # Errors
///
/// The port is in use.
pub async fn listen() -> Result<(TcpListener, String)> {
    let mut given = std::env::args().skip_while(|argument| argument != "--port");
    let port = match given.nth(1) {
        Some(port) => port.parse()?,
        None if is_tour() => 0,
        None => 3000,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let base = format!("http://{}", listener.local_addr()?);
    Ok((listener, base))
}

/// Returns whether the program was started with `--tour`.
pub fn is_tour() -> bool {
    std::env::args().any(|argument| argument == "--tour")
}

/// Serves `app`, and prints a `curl` line for each line of the tour. With `--tour`, it sends the
/// requests of the tour and stops.
///
/// Each line of the tour has a method (GET if it is left out), a path, the name of a persona (or
/// `anonymous` for a request without credentials), the expected status and, optionally, the expected
/// challenge.
///
/// # Errors
///
/// The port is in use, or a response differs from the expected one.
pub async fn run(app: ProtectedRouter, personas: &[Persona], tour: &str) -> Result<()> {
    let (listener, base) = listen().await?;
    run_on(listener, &base, app, personas, tour).await
}

/// Like [`run`], with a listener that is already bound, for a service that has to know its URL.
///
/// # Errors
///
/// A response differs from the expected one.
pub async fn run_on(
    listener: TcpListener,
    base: &str,
    app: ProtectedRouter,
    personas: &[Persona],
    tour: &str,
) -> Result<()> {
    let stops = tour.lines().filter(|line| !line.is_empty());
    let stops: Vec<Stop<'_>> = stops
        .map(|line| stop(line, personas).ok_or(line))
        .collect::<Result<_, _>>()?;
    if is_tour() {
        tokio::spawn(async move { axum::serve(listener, app).await });
        return tokio::task::block_in_place(|| go(base, &stops));
    }
    // A proof is for one request, so curl cannot repeat it.
    let for_curl = |stop: &&Stop<'_>| stop.persona.is_none_or(|persona| persona.prove.is_none());
    for stop in stops.iter().filter(for_curl) {
        let header = stop.persona.map_or(String::new(), |persona| {
            format!(" -H 'Authorization: Bearer {}'", persona.token)
        });
        let method = match stop.method {
            "GET" => String::new(),
            method => format!(" -X {method}"),
        };
        println!("# {}: {}", stop.name, stop.expected);
        println!("curl -i{method}{header} {base}{}\n", stop.path);
    }
    println!("serving on {base}; Ctrl-C stops it");
    axum::serve(listener, app).await?;
    Ok(())
}

fn stop<'a>(line: &'a str, personas: &'a [Persona]) -> Option<Stop<'a>> {
    let (first, rest) = line.split_once(' ')?;
    let (method, (path, rest)) = if first.starts_with('/') {
        ("GET", (first, rest))
    } else {
        (first, rest.trim_start().split_once(' ')?)
    };
    let (name, rest) = rest.trim_start().split_once(' ')?;
    let rest = rest.trim_start();
    let (status, challenge) = rest.split_once(' ').unwrap_or((rest, ""));
    let persona = personas.iter().find(|persona| persona.name == name);
    Some(Stop {
        method,
        path,
        name,
        persona,
        expected: show(status, challenge.trim_start()),
    })
    .filter(|stop| stop.persona.is_some() || name == "anonymous")
}

fn show(status: &str, challenge: &str) -> String {
    format!("{status} {challenge}").trim_end().to_owned()
}

/// Sends every request over a socket and compares the responses.
fn go(base: &str, stops: &[Stop<'_>]) -> Result<()> {
    let client: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let request_of = |stop: &Stop<'_>| format!("{} {}", stop.method, stop.path);
    let mut rows = Rows::new(stops.iter().map(|stop| (request_of(stop), stop.name)));
    let mut nonce: Option<String> = None;
    for stop in stops {
        let url = format!("{base}{}", stop.path);
        let mut request = Request::builder().method(stop.method).uri(&url);
        match stop.persona {
            Some(Persona {
                token,
                prove: Some(prove),
                ..
            }) => {
                let proof = prove(stop.method, &url, token, nonce.as_deref())?;
                request = request
                    .header("authorization", format!("DPoP {token}"))
                    .header("dpop", proof);
            }
            Some(Persona { token, .. }) => {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            None => {}
        }
        let response = client.run(request.body(())?)?;
        let text = |value: &HeaderValue| value.to_str().unwrap_or("(not ASCII)").to_owned();
        let fields = response.headers();
        let challenges = fields.get_all("www-authenticate").iter().map(text);
        let challenges: Vec<String> = challenges.collect();
        if stop.persona.is_some_and(|persona| persona.prove.is_some()) {
            // A client with a proof uses the latest nonce.
            nonce = fields.get("dpop-nonce").map(text).or(nonce);
        }
        let seen = show(response.status().as_str(), &challenges.join(", "));
        rows.print(&request_of(stop), stop.name, &seen, &stop.expected);
    }
    rows.finish()
}
