//! What the examples share: somebody who signs tokens, and the tour that shows what they open.

mod visit;

use std::error::Error;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use argon2::{Argon2, PasswordHasher};
use axum::Router;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::json;
use tokio::net::TcpListener;

pub use self::visit::{Visit, visit};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// An authorization server of one's own, with a key made at start.
pub struct Authority {
    private: EncodingKey,
    public: String,
}

impl Authority {
    /// Whom its tokens are from.
    pub const ISSUER: &str = "https://authority.example";

    /// Makes a P-256 key.
    ///
    /// # Errors
    ///
    /// The system has no randomness to give.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        Ok(Self {
            private: EncodingKey::from_ec_der(&key.serialize_der()),
            public: key.public_key_pem(),
        })
    }

    /// The key that verifies its tokens, as PEM.
    pub fn public_key(&self) -> &str {
        &self.public
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
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX / 2);
        let claims = json!({
            "iss": Self::ISSUER,
            "aud": audience,
            "sub": subject,
            "exp": now.saturating_add(lives),
            "scope": scope,
            "roles": [role],
        });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.private);
        token.unwrap_or_default()
    }

    /// Somebody with such a token for `https://quickstart.example`.
    pub fn persona(&self, name: &'static str, scope: &str, role: &str, lives: i64) -> Persona {
        let token = self.token(name, "https://quickstart.example", scope, role, lives);
        Persona { name, token }
    }
}

/// The keys of an authorization server, found by its metadata (OpenID Connect Discovery 1.0).
///
/// # Errors
///
/// It cannot be reached, or its metadata name no keys.
pub fn discover_jwks(issuer: &str) -> Result<String> {
    let get =
        |url: &str| -> Result<String> { Ok(ureq::get(url).call()?.body_mut().read_to_string()?) };
    let metadata = get(&format!("{issuer}/.well-known/openid-configuration"))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let url = metadata.get("jwks_uri").and_then(serde_json::Value::as_str);
    get(url.ok_or("the authorization server names no keys")?)
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
}

/// A request, and the answer to expect.
struct Stop<'a> {
    path: &'a str,
    name: &'a str,
    token: Option<&'a str>,
    expected: String,
}

/// Serves `app`: on port 3000, with a `curl` line to paste for each line of the tour; or, asked for
/// `--tour`, on a free port for as long as the tour takes.
///
/// Each line of the tour has a path, the name of a persona (or `nobody`, who has no credentials),
/// the status and, if there is to be one, the challenge.
///
/// # Errors
///
/// The port is taken, or the tour saw another answer than expected.
pub async fn run(app: Router, personas: &[Persona], tour: &str) -> Result<()> {
    let stops = tour.lines().filter(|line| !line.is_empty());
    let stops: Vec<Stop<'_>> = stops
        .map(|line| stop(line, personas).ok_or(line))
        .collect::<Result<_, _>>()?;
    if std::env::args().any(|argument| argument == "--tour") {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        return tokio::task::block_in_place(|| go(address, &stops));
    }
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    for stop in &stops {
        let header = stop.token.map_or(String::new(), |token| {
            format!(" -H 'Authorization: Bearer {token}'")
        });
        println!("# {}: {}", stop.name, stop.expected);
        println!("curl -i{header} http://127.0.0.1:3000{}\n", stop.path);
    }
    println!("serving on http://127.0.0.1:3000; Ctrl-C stops it");
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
        token: persona.map(|persona| persona.token.as_str()),
        expected: show(status, challenge.trim_start()),
    })
    .filter(|stop| stop.token.is_some() || name == "nobody")
}

fn show(status: &str, challenge: &str) -> String {
    if challenge.is_empty() {
        return status.to_owned();
    }
    format!("{status}\n#   WWW-Authenticate: {challenge}")
}

/// Sends every request over a socket and compares the answers.
fn go(address: SocketAddr, stops: &[Stop<'_>]) -> Result<()> {
    let client: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut surprises = 0;
    for stop in stops {
        let mut request = client.get(format!("http://{address}{}", stop.path));
        if let Some(token) = stop.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request.call()?;
        let challenges: Vec<_> = response
            .headers()
            .get_all("www-authenticate")
            .iter()
            .map(|value| value.to_str().unwrap_or("(not ASCII)"))
            .collect();
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
