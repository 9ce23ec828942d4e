//! The shared parts of the examples: an authorization server, a client with a key, and a tour of pages.

mod proof;
mod visit;

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use argon2::{Argon2, PasswordHasher};
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
