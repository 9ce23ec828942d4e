//! Introspection responses in a cache that all instances share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_runtime::clock::{Clock, ManualClock};
use auth_runtime::routing::get;
use auth_runtime::schemes::{
    Bearer, Introspection, Redis, RedisError, SharedTokenCache, TokenCache,
};
use auth_runtime::{GuardedRouter, ProtectionSpace, requires};
use axum::{Form, Json, Router};
use serde_json::json;

use crate::server::Server;

#[requires(scope = "read")]
async fn read() {}

const KEY: [u8; 32] = [7; 32];
/// The keys of responses.
const TOKENS: &str = "auth:token:*";
const MINUTE: Duration = Duration::from_secs(60);

/// An authorization server that counts its requests. A token is active until it is revoked.
#[derive(Clone)]
struct Issuer {
    address: SocketAddr,
    questions: Arc<AtomicUsize>,
    /// The remaining lifetime of tokens in seconds; 0 once all are revoked.
    lifetime: Arc<AtomicU64>,
    /// The length of responses, unless they are longer already.
    length: Arc<AtomicUsize>,
    /// The duration of responses in milliseconds.
    duration: Arc<AtomicU64>,
}

impl Issuer {
    async fn start() -> Self {
        let (questions, lifetime) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(600)));
        let (length, duration) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
        let (asked, lives) = (Arc::clone(&questions), Arc::clone(&lifetime));
        let (padded, lasts) = (Arc::clone(&length), Arc::clone(&duration));
        let answer = async move |Form(form): Form<HashMap<String, String>>| {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(lasts.load(Ordering::SeqCst))).await;
            let lifetime = lives.load(Ordering::SeqCst);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let mut response = json!({
                "active": lifetime > 0, "sub": form["token"], "scope": "read",
                "exp": now.as_secs() + lifetime, "padding": "",
            });
            let missing = padded.load(Ordering::SeqCst);
            let missing = missing.saturating_sub(response.to_string().len());
            response["padding"] = "x".repeat(missing).into();
            Json(response)
        };
        let app = Router::new().route("/introspect", axum::routing::post(answer));
        Self {
            address: auth_tests::serve(app).await,
            questions,
            lifetime,
            length,
            duration,
        }
    }

    fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }

    /// Starts an instance without a cache of its own.
    async fn instance(&self, client: &str, shared: SharedTokenCache) -> SocketAddr {
        self.instance_at(Clock::system(), client, shared).await
    }

    async fn instance_at(
        &self,
        clock: Clock,
        client: &str,
        shared: SharedTokenCache,
    ) -> SocketAddr {
        let introspection = Introspection::builder()
            .clock(clock)
            .endpoint(format!("http://{}/introspect", self.address))
            .client_secret(client, "secret")
            .any_audience()
            .cache(TokenCache::new(100, Duration::ZERO))
            .shared_cache(shared);
        let bearer = Bearer::introspection(introspection.build().unwrap());
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        let app = GuardedRouter::new()
            .route("/", get(read))
            .protect(space.build().unwrap());
        auth_tests::serve(app.unwrap()).await
    }
}

fn shared(server: &Server, key: [u8; 32], max_age: Duration) -> SharedTokenCache {
    SharedTokenCache::new(Redis::builder(server.url()).build().unwrap(), key, max_age)
}

async fn status(instance: SocketAddr, token: &str) -> u16 {
    let fields = format!("authorization: Bearer {token}\r\n");
    crate::client::get(instance, &fields).await.status
}

#[tokio::test]
async fn instances_share_introspection() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    let cache = || shared(&server, KEY, MINUTE);
    let here = issuer.instance("api", cache()).await;
    let there = issuer.instance("api", cache()).await;
    for _ in 0..3 {
        assert_eq!(status(here, "ann").await, 200);
        assert_eq!(status(there, "ann").await, 200);
    }
    assert_eq!(issuer.questions(), 1);
    issuer.lifetime.store(0, Ordering::SeqCst);
    assert_eq!(status(there, "ann").await, 200, "it is remembered");
    cache().forget("ann").await.unwrap();
    assert_eq!(status(here, "ann").await, 401);
    assert_eq!(status(there, "ann").await, 401);
    // A late response from before the token was forgotten.
    issuer.lifetime.store(600, Ordering::SeqCst);
    assert_eq!(status(here, "ann").await, 200);
    issuer.lifetime.store(0, Ordering::SeqCst);
    assert_eq!(status(there, "ann").await, 401, "it took no place");
}

#[tokio::test]
async fn entries_expire_with_token_and_setting() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    let lifetime_of = |token: &str| -> i64 {
        let all = server.ask(&["KEYS", "*"]);
        assert!(!all.contains(token), "{all}");
        let key = server.ask(&["KEYS", TOKENS]);
        server.ask(&["TTL", &key]).parse().unwrap()
    };
    let here = issuer.instance("api", shared(&server, KEY, MINUTE)).await;
    assert_eq!(status(here, "ann").await, 200);
    assert!((50..=60).contains(&lifetime_of("ann")));
    server.ask(&["FLUSHALL"]);
    issuer.lifetime.store(20, Ordering::SeqCst);
    assert_eq!(status(here, "ann").await, 200);
    assert!((10..=20).contains(&lifetime_of("ann")));
    server.ask(&["FLUSHALL"]);
    issuer.lifetime.store(0, Ordering::SeqCst);
    assert_eq!(status(here, "ann").await, 401);
    assert_eq!(
        server.ask(&["KEYS", "*"]),
        "",
        "rejected ones are not remembered"
    );
}

#[tokio::test]
async fn redis_access_grants_and_reveals_nothing() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    let here = issuer.instance("api", shared(&server, KEY, MINUTE)).await;
    assert_eq!(status(here, "ann").await, 200);
    let ann = server.ask(&["KEYS", TOKENS]);
    let stored = server.ask(&["GET", &ann]);
    for word in ["ann", "read", "active"] {
        assert!(!stored.contains(word), "{stored}");
    }
    // The entry of one token is moved to another one.
    assert_eq!(status(here, "bob").await, 200);
    let keys = server.ask(&["KEYS", TOKENS]);
    let bob = keys.lines().find(|key| *key != ann).unwrap().to_owned();
    issuer.lifetime.store(0, Ordering::SeqCst);
    assert_eq!(status(here, "bob").await, 200, "it is remembered");
    server.ask(&["COPY", &ann, &bob, "REPLACE"]);
    assert_eq!(status(here, "bob").await, 401);
    // The entry is changed by one bit, or invented.
    assert_eq!(status(here, "ann").await, 200);
    let other = if server.ask(&["GETBIT", &ann, "200"]) == "0" {
        "1"
    } else {
        "0"
    };
    server.ask(&["SETBIT", &ann, "200", other]);
    assert_eq!(status(here, "ann").await, 401);
    for made_up in ["", "x", r#"{"active":true,"sub":"ann","scope":"read"}"#] {
        server.ask(&["SET", &ann, made_up]);
        assert_eq!(status(here, "ann").await, 401, "{made_up}");
    }
    server.ask(&["DEL", &ann]);
    server.ask(&["LPUSH", &ann, "x"]);
    assert_eq!(status(here, "ann").await, 401, "no text at all");
}

#[tokio::test]
async fn expired_entries_are_ignored() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    // Expiries are stored in whole seconds.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let time = ManualClock::new(UNIX_EPOCH + Duration::from_secs(now.as_secs()));
    let cache = shared(&server, KEY, MINUTE);
    let here = issuer.instance_at(time.clock(), "api", cache).await;
    assert_eq!(status(here, "ann").await, 200);
    let key = server.ask(&["KEYS", TOKENS]);
    assert_eq!(server.ask(&["PERSIST", &key]), "1");
    issuer.lifetime.store(0, Ordering::SeqCst);
    for (seconds, expected) in [(59, 200), (1, 401)] {
        time.advance(Duration::from_secs(seconds));
        assert_eq!(status(here, "ann").await, expected);
    }
    assert_ne!(server.ask(&["GET", &key]), "");
}

#[tokio::test]
async fn long_responses_are_not_stored() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    let here = issuer.instance("api", shared(&server, KEY, MINUTE)).await;
    for (token, length, questions) in [("short", 64 * 1024, 1), ("long", 64 * 1024 + 1, 2)] {
        issuer.length.store(length, Ordering::SeqCst);
        let before = issuer.questions();
        for _ in 0..2 {
            assert_eq!(status(here, token).await, 200);
        }
        assert_eq!(issuer.questions() - before, questions, "{length}");
    }
}

#[tokio::test]
async fn long_entries_are_not_read() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    let here = issuer.instance("api", shared(&server, KEY, MINUTE)).await;
    assert_eq!(status(here, "ann").await, 200);
    let key = server.ask(&["KEYS", TOKENS]);
    let sent = || -> usize {
        let counts = server.ask(&["INFO", "stats"]);
        let mut lines = counts.lines();
        let count = lines.find_map(|line| line.strip_prefix("total_net_output_bytes:"));
        count.expect("a count").trim().parse().unwrap()
    };
    let length = 16 * 1024 * 1024;
    server.ask(&["SETRANGE", &key, &length.to_string(), "x"]);
    let before = sent();
    assert_eq!(status(here, "ann").await, 200);
    assert_eq!(issuer.questions(), 2);
    let read = sent() - before;
    assert!(read < 128 * 1024, "{read}");
}

#[tokio::test]
async fn subjects_have_share_of_cache() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    let here = issuer.instance("api", shared(&server, KEY, MINUTE)).await;
    assert_eq!(status(here, "ann").await, 200);
    let counter = server.ask(&["KEYS", "auth:tokens:*"]);
    assert_eq!(server.ask(&["GET", &counter]), "1");
    let period: u64 = server.ask(&["TTL", &counter]).parse().unwrap();
    assert!((50..=60).contains(&period), "{period}");
    // The subject of this issuer's tokens is their text.
    server.ask(&["FLUSHALL"]);
    server.ask(&["SET", &counter, "1000", "EX", "60"]);
    for _ in 0..2 {
        assert_eq!(status(here, "ann").await, 200);
        assert_eq!(server.ask(&["KEYS", TOKENS]), "", "not stored");
    }
    assert_eq!(issuer.questions(), 3);
    for _ in 0..2 {
        assert_eq!(status(here, "bob").await, 200);
    }
    assert_eq!(issuer.questions(), 4, "stored for another subject");
}

#[tokio::test]
async fn keys_and_clients_are_separate() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    let here = issuer.instance("api", shared(&server, KEY, MINUTE)).await;
    assert_eq!(status(here, "ann").await, 200);
    issuer.lifetime.store(0, Ordering::SeqCst);
    let other_key = issuer
        .instance("api", shared(&server, [1; 32], MINUTE))
        .await;
    assert_eq!(status(other_key, "ann").await, 401);
    // The response depends on the requesting client.
    let other_client = issuer.instance("web", shared(&server, KEY, MINUTE)).await;
    assert_eq!(status(other_client, "ann").await, 401);
    assert_eq!(status(here, "ann").await, 200);
}

#[tokio::test]
async fn without_redis_the_issuer_is_asked() {
    let mut server = Server::start();
    let issuer = Issuer::start().await;
    let cache = shared(&server, KEY, MINUTE);
    let here = issuer.instance("api", cache.clone()).await;
    server.stop();
    assert_eq!(status(here, "ann").await, 200);
    assert_eq!(status(here, "ann").await, 200);
    assert_eq!(issuer.questions(), 2);
    assert_eq!(cache.forget("ann").await, Err(RedisError::NoResponse));
    server.start_again();
    server.signal("STOP");
    assert_eq!(status(here, "ann").await, 200);
    server.signal("CONT");
}

/// The next requests do not wait for it, and use it again a second after it last failed to respond.
#[tokio::test]
async fn a_hanging_redis_delays_few_requests() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    let here = issuer.instance("api", shared(&server, KEY, MINUTE)).await;
    assert_eq!(status(here, "ann").await, 200);
    server.signal("STOP");
    for (token, at_least, less_than) in [("bob", 450, 900), ("ann", 0, 300), ("bob", 0, 300)] {
        let begun = Instant::now();
        assert_eq!(status(here, token).await, 200);
        let took = begun.elapsed().as_millis();
        assert!((at_least..less_than).contains(&took), "{token}: {took}");
    }
    assert_eq!(issuer.questions(), 4);
    server.signal("CONT");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(status(here, "ann").await, 200);
    assert_eq!(issuer.questions(), 4, "it is remembered");
}

#[tokio::test]
async fn stored_tokens_delay_no_request() {
    let server = Server::start();
    let issuer = Issuer::start().await;
    let here = issuer.instance("api", shared(&server, KEY, MINUTE)).await;
    assert_eq!(status(here, "bob").await, 200);
    issuer.duration.store(300, Ordering::SeqCst);
    let requests = [(); 2].map(|()| {
        tokio::spawn(async move {
            let begun = Instant::now();
            assert_eq!(status(here, "ann").await, 200);
            begun.elapsed()
        })
    });
    while issuer.questions() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.signal("STOP");
    let mut durations = Vec::new();
    for request in requests {
        durations.push(request.await.unwrap());
    }
    assert_eq!(issuer.questions(), 2);
    let shortest = durations.iter().min().unwrap();
    assert!(*shortest < Duration::from_millis(600), "{durations:?}");
}
