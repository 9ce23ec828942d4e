//! What the examples share: somebody who signs tokens, and the tour that shows what they open.

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

/// An authorization server of one's own, with a key made at start.
pub struct Authority {
    issuer: String,
    private: EncodingKey,
    key: KeyPair,
}

impl Authority {
    /// Whom its tokens are from, unless it [publishes](Self::publish) its key.
    pub const ISSUER: &str = "https://authority.example";

    /// Makes a P-256 key.
    ///
    /// # Errors
    ///
    /// The system has no randomness to give.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        Ok(Self {
            issuer: Self::ISSUER.to_owned(),
            private: EncodingKey::from_ec_der(&key.serialize_der()),
            key,
        })
    }

    /// Publishes its metadata and its key on a free port, for services to find.
    ///
    /// # Errors
    ///
    /// There is no free port.
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

    /// Whom its tokens are from.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key that verifies its tokens, as PEM.
    pub fn public_key(&self) -> String {
        self.key.public_key_pem()
    }

    /// A token for `audience` that expires in so many seconds; it did already if they are negative.
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

    /// A token that is bound to `key`, and expires in an hour.
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

    /// A token that says this besides: an object with more claims.
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

    /// Somebody with such a token for `https://quickstart.example`.
    pub fn persona(&self, name: &'static str, scope: &str, role: &str, lives: i64) -> Persona {
        let token = self.token(name, "https://quickstart.example", scope, role, lives);
        Persona::new(name, token)
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX / 2)
}

/// The Argon2 hash of a password.
///
/// # Errors
///
/// The system has no randomness to give.
pub fn hash(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| error.to_string())?.to_string())
}

/// Somebody who calls.
pub struct Persona {
    name: &'static str,
    token: String,
    key: Option<ProofKey>,
}

impl Persona {
    /// Somebody with a token for Bearer.
    pub fn new(name: &'static str, token: String) -> Self {
        let key = None;
        Self { name, token, key }
    }

    /// Somebody who proves with each request to hold `key` (DPoP).
    pub fn with_key(name: &'static str, token: String, key: ProofKey) -> Self {
        let key = Some(key);
        Self { name, token, key }
    }
}

/// A request, and the answer to expect.
struct Stop<'a> {
    path: &'a str,
    name: &'a str,
    persona: Option<&'a Persona>,
    expected: String,
}

/// Binds port 3000; or, for `--tour`, a free one; or the one behind `--port`. Says what it is called,
/// too.
///
/// # Errors
///
/// The port is taken.
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

/// Whether it was asked for the tour.
pub fn is_tour() -> bool {
    std::env::args().any(|argument| argument == "--tour")
}

/// Serves `app`, with a `curl` line to paste for each line of the tour; or, asked for `--tour`, for as
/// long as the tour takes.
///
/// Each line of the tour has a path, the name of a persona (or `nobody`, who has no credentials),
/// the status and, if there is to be one, the challenge.
///
/// # Errors
///
/// The port is taken, or the tour saw another answer than expected.
pub async fn run(app: ProtectedRouter, personas: &[Persona], tour: &str) -> Result<()> {
    let (listener, base) = listen().await?;
    run_on(listener, &base, app, personas, tour).await
}

/// The same where it is bound already, since the service had to know what it is called.
///
/// # Errors
///
/// The tour saw another answer than expected.
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
    // Proofs are made for one request each, which is no work for curl.
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

/// Sends every request over a socket and compares the answers.
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
            // Whoever proves something uses the nonce that was told last.
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
