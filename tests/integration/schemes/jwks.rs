//! Fetched keys: an issuer on loopback that can rotate them, count requests, and stop.

mod fetching;
mod outages;
mod rotation;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::ProtectedRouter;
use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::JwtBuilder;
use auth_tests::App;
use auth_tests::ports::free_port;
use axum::extract::State;
use axum::routing;

use crate::schemes::*;

/// Between two fetches that requests ask for.
const PAUSE: Duration = Duration::from_secs(5);

/// An issuer with ES256 keys, and the clock of its verifiers.
struct Issuer {
    time: ManualClock,
    address: SocketAddr,
    published: Arc<Published>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Published {
    issuer: Mutex<String>,
    keys: Mutex<VecDeque<(String, KeyPair)>>,
    /// True if keys are published without their names.
    is_nameless: AtomicBool,
    metadata_fetches: AtomicUsize,
    key_fetches: AtomicUsize,
}

impl Issuer {
    async fn start() -> Self {
        let published = Arc::new(Published::default());
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let server = serve(address, &published).await;
        *published.issuer.lock().unwrap() = format!("http://{address}");
        let issuer = Self {
            time: ManualClock::new(SystemTime::now()),
            address,
            published,
            server,
        };
        issuer.rotate();
        issuer
    }

    fn name(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Signs with a new key from now on. The last two keys stay published.
    fn rotate(&self) {
        let mut keys = self.published.keys.lock().unwrap();
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
        let id = format!("key-{}", now_nanos());
        keys.push_back((id, key));
        if keys.len() > 2 {
            keys.pop_front();
        }
    }

    fn withdraw_all_but_the_last(&self) {
        let mut keys = self.published.keys.lock().unwrap();
        while keys.len() > 1 {
            keys.pop_front();
        }
    }

    fn token(&self, changes: Value) -> String {
        let keys = self.published.keys.lock().unwrap();
        let (id, key) = keys.back().expect("a key");
        self.signed(id, key, changes)
    }

    fn signed(&self, id: &str, key: &KeyPair, changes: Value) -> String {
        let mut claims = json!({
            "iss": self.name(), "aud": AUDIENCE, "sub": "ann", "scope": "read", "exp": self.now() + 600,
            "iat": self.now(), "jti": now_nanos().to_string(),
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(id.to_owned());
        let pem = key.serialize_pem();
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).expect("a signing key");
        encode(&header, &claims, &key).expect("it can be signed")
    }

    fn verifier(&self) -> JwtBuilder {
        Jwt::builder()
            .issuer(self.name())
            .audience(AUDIENCE)
            .clock(self.time.clock())
    }

    /// The seconds since 1970, by the clock of its verifiers.
    fn now(&self) -> u64 {
        let since = self.time.clock().now().duration_since(UNIX_EPOCH);
        since.expect("after 1970").as_secs()
    }

    /// Lets the pause between two fetches pass, for requests that wait for its end.
    async fn pause(&self) {
        // One yield starts at most 61 spawned requests, the default `event_interval` of tokio.
        tokio::task::yield_now().await;
        self.time.advance(PAUSE);
    }

    fn app(&self) -> ProtectedRouter {
        let jwt = self.verifier().discover().build().unwrap();
        app(space(Bearer::jwt(jwt)))
    }

    fn fetches(&self) -> (usize, usize) {
        let Published {
            metadata_fetches,
            key_fetches,
            ..
        } = &*self.published;
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (count(metadata_fetches), count(key_fetches))
    }

    async fn stop(&self) {
        self.server.abort();
        // Wait until the port is free.
        while tokio::net::TcpStream::connect(self.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn start_again(&mut self) {
        self.server = serve(self.address, &self.published).await;
    }
}

fn now_nanos() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_nanos()
}

async fn serve(address: SocketAddr, published: &Arc<Published>) -> tokio::task::JoinHandle<()> {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.expect("the port is free");
    let app = Router::new()
        .route(
            "/.well-known/openid-configuration",
            routing::get(async |State(own): State<Arc<Published>>| {
                own.metadata_fetches.fetch_add(1, Ordering::SeqCst);
                let issuer = own.issuer.lock().unwrap().clone();
                axum::Json(json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }))
            }),
        )
        .route(
            "/keys",
            routing::get(async |State(own): State<Arc<Published>>| {
                own.key_fetches.fetch_add(1, Ordering::SeqCst);
                // Long enough for concurrent requests.
                tokio::time::sleep(Duration::from_millis(50)).await;
                let keys = own.keys.lock().unwrap();
                let mut keys: Vec<Value> = keys.iter().map(|(id, key)| jwk(id, key)).collect();
                if own.is_nameless.load(Ordering::SeqCst) {
                    for key in &mut keys {
                        key["kid"] = Value::Null;
                    }
                }
                axum::Json(json!({ "keys": keys }))
            }),
        )
        .with_state(Arc::clone(published));
    tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") })
}

pub(crate) fn jwk(id: &str, key: &KeyPair) -> Value {
    let point = key.public_key_raw();
    let (x, y) = point[1..].split_at(32);
    json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
        "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    })
}

async fn status(app: &impl App, token: &str) -> u16 {
    send(app, "/read", &bearer(token)).await.status().as_u16()
}
