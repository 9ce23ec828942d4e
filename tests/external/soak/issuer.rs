//! The authorization server: its keys, its tokens, and its introspection endpoint.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_tests::AUDIENCE;
use auth_tests::proof::ProofKey;
use axum::{Form, Json, Router, routing};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// The issuer of the signed tokens.
pub(crate) const NAME: &str = "https://soak.example";
/// The number of keys that are published.
const PUBLISHED: usize = 3;
/// The number of opaque tokens that are active.
const ACTIVE: usize = 40;
/// The time for which clients still send a revoked token.
const REMEMBERED: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(crate) struct Issuer(Arc<State>);

struct State {
    keys: Mutex<VecDeque<SigningKey>>,
    /// The time of the revocation of each opaque token, if it is revoked.
    opaque: Mutex<HashMap<String, Option<Instant>>>,
    numbers: AtomicUsize,
    rotations: AtomicUsize,
}

#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(crate) id: String,
    jwk: Value,
    private: EncodingKey,
}

impl SigningKey {
    pub(crate) fn new(id: String) -> Self {
        let key = ProofKey::new();
        let mut jwk = key.jwk();
        jwk["kid"] = json!(id);
        jwk["alg"] = json!("ES256");
        let private = EncodingKey::from_ec_pem(key.private_pem().as_bytes());
        Self {
            id,
            jwk,
            private: private.expect("a key"),
        }
    }

    /// Signs a token under the name of this key, or another one, that expires at `expires`.
    pub(crate) fn sign(&self, id: &str, scope: &str, issued: u64, expires: u64) -> String {
        let claims = json!({
            "iss": NAME, "aud": AUDIENCE, "sub": "ann", "scope": scope, "iat": issued, "exp": expires,
        });
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(id.to_owned());
        encode(&header, &claims, &self.private).expect("it can be signed")
    }
}

/// The seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

impl Default for Issuer {
    fn default() -> Self {
        let issuer = Self(Arc::new(State {
            keys: Mutex::default(),
            opaque: Mutex::default(),
            numbers: AtomicUsize::new(0),
            rotations: AtomicUsize::new(0),
        }));
        issuer.rotate();
        for _ in 0..ACTIVE {
            issuer.issue_one();
        }
        issuer
    }
}

impl Issuer {
    /// Serves `/keys` and `/introspect`.
    pub(crate) async fn serve(&self) -> SocketAddr {
        let (of_keys, of_tokens) = (self.clone(), self.clone());
        let app = Router::new()
            .route(
                "/keys",
                routing::get(async move || {
                    let keys: Vec<Value> =
                        of_keys.keys().iter().map(|key| key.jwk.clone()).collect();
                    Json(json!({ "keys": keys }))
                }),
            )
            .route(
                "/introspect",
                routing::post(async move |Form(form): Form<HashMap<String, String>>| {
                    let token = form.get("token").cloned().unwrap_or_default();
                    let is_active = of_tokens.opaque().get(&token) == Some(&None);
                    Json(match is_active {
                        true => json!({
                            "active": true, "sub": token, "scope": "read", "exp": now() + 600,
                        }),
                        false => json!({ "active": false }),
                    })
                }),
            );
        auth_tests::serve(app).await
    }

    fn keys(&self) -> MutexGuard<'_, VecDeque<SigningKey>> {
        self.0.keys.lock().expect("no panic")
    }

    fn opaque(&self) -> MutexGuard<'_, HashMap<String, Option<Instant>>> {
        self.0.opaque.lock().expect("no panic")
    }

    fn number(&self) -> usize {
        self.0.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// The newest key, which signs.
    pub(crate) fn key(&self) -> SigningKey {
        self.keys().back().expect("a key").clone()
    }

    pub(crate) fn publishes(&self, id: &str) -> bool {
        self.keys().iter().any(|key| key.id == id)
    }

    pub(crate) fn rotate(&self) {
        let key = SigningKey::new(format!("key-{}", self.number()));
        let mut keys = self.keys();
        keys.push_back(key);
        if keys.len() > PUBLISHED {
            keys.pop_front();
        }
        self.0.rotations.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of keys until now.
    pub(crate) fn rotations(&self) -> usize {
        self.0.rotations.load(Ordering::Relaxed)
    }

    fn issue_one(&self) {
        let token = format!("opaque-{}", self.number());
        self.opaque().insert(token, None);
    }

    /// Revokes a token, issues another one, and forgets those that were revoked long ago.
    pub(crate) fn revoke_one(&self) {
        let mut opaque = self.opaque();
        let active = opaque.values_mut().find(|revoked| revoked.is_none());
        if let Some(revoked) = active {
            *revoked = Some(Instant::now());
        }
        opaque.retain(|_, revoked| revoked.is_none_or(|at| at.elapsed() < REMEMBERED));
        drop(opaque);
        self.issue_one();
    }

    /// A token by its number, active or revoked.
    pub(crate) fn opaque_token(&self, number: usize) -> String {
        let opaque = self.opaque();
        let tokens = opaque.keys().nth(number % opaque.len());
        tokens.expect("there are some").clone()
    }

    /// The time at which a token was revoked, or forgotten after that.
    pub(crate) fn revoked_at(&self, token: &str) -> Option<Instant> {
        match self.opaque().get(token) {
            Some(revoked) => *revoked,
            None => Instant::now().checked_sub(REMEMBERED),
        }
    }
}
