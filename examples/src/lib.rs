//! The shared parts of the examples: an authorization server, and a tour that sends requests.

mod proof;
mod visit;

use auth_runtime::ProtectedRouter;
use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use argon2::{Argon2, PasswordHasher};
use axum::http::HeaderValue;
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use crate::proof::ProofKey;
pub use crate::visit::{Visit, visit};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// An authorization server in the process, with a key that is created at start.
pub struct Authority {
    issuer: String,
    private: EncodingKey,
    key: KeyPair,
}

impl Authority {
    /// The issuer of its tokens, unless it [publishes](Self::publish) its key.
    pub const ISSUER: &str = "https://authority.example";

    /// Creates a server with a P-256 key.
    ///
    /// # Errors
    ///
    /// The system has no random bytes.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        Ok(Self {
            issuer: Self::ISSUER.to_owned(),
            private: EncodingKey::from_ec_der(&key.serialize_der()),
            key,
        })
    }

    /// Publishes the metadata and the key on a free port.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn publish(mut self) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        self.issuer = format!("http://{}", listener.local_addr()?);
        let keys = json!({ "keys": [proof::public_jwk(&self.key)] });
        let metadata = json!({
            "issuer": self.issuer, "jwks_uri": format!("{}/keys", self.issuer),
        });
        // unguarded: an authorization server tells everybody its metadata and its public key
        let answer = |document| axum::routing::get(async move || Json(document));
        let app = Router::new()
            .route("/.well-known/openid-configuration", answer(metadata))
            .route("/keys", answer(keys));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(self)
    }

    /// The issuer of the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public key that verifies the tokens, as PEM.
    pub fn public_key(&self) -> String {
        self.key.public_key_pem()
    }

    /// Creates a token for `audience` that expires after this number of seconds. A negative number
    /// creates an expired token.
    pub fn token(
        &self,
        subject: &str,
        audience: &str,
        scope: &str,
        role: &str,
        lives: i64,
    ) -> String {
        let more = json!({ "scope": scope, "roles": [role] });
        self.sign(subject, audience, lives, &more)
    }

    /// Creates a token that is bound to `key` and expires in an hour.
    pub fn bound_token(
        &self,
        subject: &str,
        audience: &str,
        scope: &str,
        key: &ProofKey,
    ) -> String {
        let more = json!({ "scope": scope, "cnf": { "jkt": key.thumbprint() } });
        self.sign(subject, audience, 3600, &more)
    }

    /// Creates a token with additional claims: an object.
    pub fn sign(&self, subject: &str, audience: &str, lives: i64, more: &Value) -> String {
        let mut claims = json!({
            "iss": self.issuer,
            "aud": audience,
            "sub": subject,
            "exp": now().saturating_add(lives),
        });
        if let (Value::Object(claims), Value::Object(more)) = (&mut claims, more) {
            claims.extend(more.clone());
        }
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.private);
        token.unwrap_or_default()
    }

    /// Creates a caller with such a token for `https://quickstart.example`.
    pub fn persona(&self, name: &'static str, scope: &str, role: &str, lives: i64) -> Persona {
        let token = self.token(name, "https://quickstart.example", scope, role, lives);
        Persona::new(name, token)
    }
}

/// Returns the seconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX / 2)
}

/// Returns the Argon2 hash of a password.
///
/// # Errors
///
/// The system has no random bytes.
pub fn hash(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| error.to_string())?.to_string())
}

/// A caller of the tour.
pub struct Persona {
    name: &'static str,
    token: String,
    key: Option<ProofKey>,
}

impl Persona {
    /// Creates a caller with a Bearer token.
    pub fn new(name: &'static str, token: String) -> Self {
        let key = None;
        Self { name, token, key }
    }

    /// Creates a caller that proves possession of `key` in each request (DPoP).
    pub fn with_key(name: &'static str, token: String, key: ProofKey) -> Self {
        let key = Some(key);
        Self { name, token, key }
    }
}

/// A request, and the expected response.
struct Stop<'a> {
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
/// Each line of the tour has a path, the name of a persona (or `nobody` for a request without
/// credentials), the expected status and, optionally, the expected challenge.
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
    let for_curl = |stop: &&Stop<'_>| stop.persona.is_none_or(|persona| persona.key.is_none());
    for stop in stops.iter().filter(for_curl) {
        let header = stop.persona.map_or(String::new(), |persona| {
            format!(" -H 'Authorization: Bearer {}'", persona.token)
        });
        println!("# {}: {}", stop.name, stop.expected);
        println!("curl -i{header} {base}{}\n", stop.path);
    }
    println!("serving on {base}; Ctrl-C stops it");
    axum::serve(listener, app).await?;
    Ok(())
}

fn stop<'a>(line: &'a str, personas: &'a [Persona]) -> Option<Stop<'a>> {
    let (path, rest) = line.split_once(' ')?;
    let (name, rest) = rest.trim_start().split_once(' ')?;
    let rest = rest.trim_start();
    let (status, challenge) = rest.split_once(' ').unwrap_or((rest, ""));
    let persona = personas.iter().find(|persona| persona.name == name);
    Some(Stop {
        path,
        name,
        persona,
        expected: show(status, challenge.trim_start()),
    })
    .filter(|stop| stop.persona.is_some() || name == "nobody")
}

fn show(status: &str, challenge: &str) -> String {
    if challenge.is_empty() {
        return status.to_owned();
    }
    format!("{status}\n#   WWW-Authenticate: {challenge}")
}

/// Sends every request over a socket and compares the responses.
fn go(base: &str, stops: &[Stop<'_>]) -> Result<()> {
    let client: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut surprises = 0;
    let mut nonce: Option<String> = None;
    for stop in stops {
        let url = format!("{base}{}", stop.path);
        let mut request = client.get(&url);
        match stop.persona {
            Some(Persona {
                token,
                key: Some(key),
                ..
            }) => {
                let proof = key.prove("GET", &url, token, nonce.as_deref())?;
                request = request
                    .header("authorization", format!("DPoP {token}"))
                    .header("dpop", proof);
            }
            Some(Persona { token, .. }) => {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            None => {}
        }
        let response = request.call()?;
        let text = |value: &HeaderValue| value.to_str().unwrap_or("(not ASCII)").to_owned();
        let fields = response.headers();
        let challenges = fields.get_all("www-authenticate").iter().map(text);
        let challenges: Vec<String> = challenges.collect();
        if stop.persona.is_some_and(|persona| persona.key.is_some()) {
            // A client with a proof uses the latest nonce.
            nonce = fields.get("dpop-nonce").map(text).or(nonce);
        }
        let seen = show(response.status().as_str(), &challenges.join(", "));
        println!("GET {} by {}: {seen}", stop.path, stop.name);
        if seen != stop.expected {
            println!("!   expected: {}", stop.expected);
            surprises += 1;
        }
    }
    match surprises {
        0 => Ok(()),
        _ => Err(format!("{surprises} answers were not as expected").into()),
    }
}
