//! Fetched keys: an issuer on loopback that can rotate them, count requests, and stop.

use auth_tests::App;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_runtime::ProtectedRouter;
use auth_runtime::schemes::{JwtBuilder, JwtError, TokenCache};
use axum::extract::State;
use axum::routing;

use crate::schemes::tokens::now;
use crate::schemes::*;

/// An issuer with ES256 keys.
struct Issuer {
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
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, server) = serve(address, &published).await;
        *published.issuer.lock().unwrap() = format!("http://{address}");
        let issuer = Self {
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
            "iss": self.name(), "aud": AUDIENCE, "sub": "ann", "scope": "read", "exp": now() + 600,
            "iat": now(), "jti": now_nanos().to_string(),
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
        Jwt::builder().issuer(self.name()).audience(AUDIENCE)
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
        (_, self.server) = serve(self.address, &self.published).await;
    }
}

fn now_nanos() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("after 1970").as_nanos()
}

async fn serve(
    address: SocketAddr,
    published: &Arc<Published>,
) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.expect("the port is free");
    let address = listener.local_addr().expect("it is bound");
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
    let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
    (address, server)
}

fn jwk(id: &str, key: &KeyPair) -> Value {
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

#[tokio::test]
async fn keys_are_found_by_the_issuers_metadata_on_first_use() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(issuer.fetches(), (0, 0));
    for _ in 0..3 {
        assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    }
    assert_eq!(issuer.fetches(), (1, 1));
}

#[tokio::test]
async fn keys_can_be_fetched_at_start_and_by_their_own_url() {
    let issuer = Issuer::start().await;
    let url = format!("{}/keys", issuer.name());
    let jwt = issuer.verifier().jwks_url(url).build().unwrap();
    jwt.fetch_keys().await.unwrap();
    assert_eq!(issuer.fetches(), (0, 1));
    let app = app(space(Bearer::jwt(jwt.clone())));
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    assert_eq!(issuer.fetches(), (0, 1));

    issuer.stop().await;
    let error = jwt.fetch_keys().await.unwrap_err();
    assert!(matches!(error, JwtError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn all_who_need_keys_wait_for_one_fetch() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    let requests = (0..50).map(|_| {
        let (app, token) = (app.clone(), issuer.token(json!({})));
        tokio::spawn(async move { status(&app, &token).await })
    });
    let requests: Vec<_> = requests.collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(issuer.fetches(), (1, 1));
}

#[tokio::test]
async fn a_rotation_under_load_refuses_nobody() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    let mut before = vec![issuer.token(json!({}))];
    assert_eq!(status(&app, &before[0]).await, 200);
    for _ in 0..2 {
        issuer.rotate();
        let tokens: Vec<String> = (0..20).map(|_| issuer.token(json!({}))).collect();
        let requests = tokens.iter().chain(&before).map(|token| {
            let (app, token) = (app.clone(), token.clone());
            tokio::spawn(async move { status(&app, &token).await })
        });
        let requests: Vec<_> = requests.collect();
        for request in requests {
            assert_eq!(request.await.unwrap(), 200);
        }
        before = tokens;
    }
    // One fetch for each key, the second one after the pause.
    assert_eq!(issuer.fetches().1, 3);
}

#[tokio::test]
async fn keys_without_names_change_too() {
    let issuer = Issuer::start().await;
    issuer.published.is_nameless.store(true, Ordering::SeqCst);
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    issuer.rotate();
    issuer.withdraw_all_but_the_last();
    // Without key names, the new key is detected only because no key at hand fits.
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    assert_eq!(issuer.fetches().1, 2);
    // A signed token with invalid claims does not cause a fetch.
    let foreign = issuer.token(json!({ "aud": "https://other.example" }));
    assert_eq!(status(&app, &foreign).await, 401);
    assert_eq!(issuer.fetches().1, 2);
}

#[tokio::test]
async fn unknown_keys_do_not_make_the_service_ask_again_and_again() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    let forger = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let began = Instant::now();
    let requests = (0..30).map(|number| {
        let app = app.clone();
        let token = issuer.signed(&format!("unknown-{number}"), &forger, json!({}));
        tokio::spawn(async move { status(&app, &token).await })
    });
    let requests: Vec<_> = requests.collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 401);
    }
    assert_eq!(issuer.fetches().1, 2);
    assert!(began.elapsed() < Duration::from_secs(9), "they wait once");

    // Tokens of other issuers are rejected without waiting.
    let foreign = issuer.signed(
        "unknown",
        &forger,
        json!({ "iss": "https://other.example" }),
    );
    assert_eq!(status(&app, &foreign).await, 401);
    assert_eq!(issuer.fetches().1, 2);
}

#[tokio::test]
async fn without_keys_nobody_is_told_401() {
    let mut issuer = Issuer::start().await;
    let app = issuer.app();
    let token = issuer.token(json!({}));
    issuer.stop().await;
    for _ in 0..2 {
        let response = send(&app, "/read", &bearer(&token)).await;
        assert_eq!(response.status(), 503);
        assert!(challenges(&response).is_empty());
        let retry_after = response.headers()["retry-after"].to_str().unwrap();
        let retry_after: u64 = retry_after.parse().unwrap();
        assert!((1..=5).contains(&retry_after), "{retry_after}");
    }
    // A malformed token is rejected as usual, since no key would help.
    assert_eq!(status(&app, "not-a-token").await, 401);
    assert_eq!(send(&app, "/read", &vec![]).await.status(), 401);

    issuer.start_again().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(status(&app, &token).await, 200);
}

#[tokio::test]
async fn keys_outlive_an_outage() {
    let mut issuer = Issuer::start().await;
    let jwt = issuer.verifier().discover();
    let jwt = jwt.refresh_every(Duration::from_secs(1)).build().unwrap();
    let app = app(space(Bearer::jwt(jwt)));
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    issuer.stop().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for _ in 0..5 {
        assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A token with an unknown key cannot be verified now.
    issuer.rotate();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 503);
    issuer.start_again().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
}

#[tokio::test]
async fn keys_are_refreshed_in_the_background_and_those_that_are_gone_open_nothing() {
    let issuer = Issuer::start().await;
    let jwt = issuer.verifier().discover().cache(TokenCache::default());
    let jwt = jwt.refresh_every(Duration::from_secs(1)).build().unwrap();
    let app = app(space(Bearer::jwt(jwt)));
    let old = issuer.token(json!({}));
    assert_eq!(status(&app, &old).await, 200);
    issuer.rotate();
    issuer.withdraw_all_but_the_last();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // This starts the refresh without waiting for it. The token is cached as well.
    assert_eq!(status(&app, &old).await, 200);
    let another = issuer.token(json!({}));
    assert_eq!(status(&app, &another).await, 200);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(status(&app, &another).await, 200);
    assert_eq!(status(&app, &old).await, 401, "the key was withdrawn");
}

#[tokio::test]
async fn metadata_of_another_issuer_are_not_believed() {
    let issuer = Issuer::start().await;
    *issuer.published.issuer.lock().unwrap() = "https://other.example".to_owned();
    let jwt = issuer.verifier().discover().build().unwrap();
    let error = jwt.fetch_keys().await.unwrap_err().to_string();
    assert!(error.contains("other.example"), "{error}");
    assert_eq!(issuer.fetches().1, 0);
    let app = app(space(Bearer::jwt(jwt)));
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 503);
}

#[test]
fn what_cannot_be_fetched_is_found_when_the_verifier_is_built() {
    let builder = || Jwt::builder().audience(AUDIENCE);
    let secret = JwtKey::hs256([7; 32]).unwrap();
    for (builder, message) in [
        (
            builder().issuer("http://issuer.example").discover(),
            r#"keys cannot be fetched from "http://issuer.example": it has to be https (or http on loopback, for tests)"#,
        ),
        (
            builder().issuer("my-issuer").discover(),
            r#"keys cannot be fetched from "my-issuer": it is not an absolute URL"#,
        ),
        (
            builder()
                .issuer("https://a.example")
                .issuer("https://b.example")
                .discover(),
            "more than one issuer is given, and keys belong to one; build a `Jwt` for each, and \
             join them with `Jwt::any_of`",
        ),
        (
            builder()
                .issuer("https://a.example")
                .key(secret)
                .jwks_url("https://a.example/keys"),
            "keys are both given and fetched; choose one of the two",
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), message);
    }
}

#[tokio::test]
async fn made_up_keys_shut_out_no_key_that_was_just_published() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    let forger = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let an_hour_ago = json!({ "iat": now() - 3600 });
    let made_up: Vec<String> = (0..3000)
        .map(|number| issuer.signed(&format!("made-up-{number}"), &forger, an_hour_ago.clone()))
        .collect();
    let began = Instant::now();
    let strangers: Vec<_> = made_up
        .into_iter()
        .map(|token| {
            let app = app.clone();
            tokio::spawn(async move { status(&app, &token).await })
        })
        .collect();
    issuer.rotate();
    let owner = {
        let (app, token) = (app.clone(), issuer.token(json!({})));
        tokio::spawn(async move { status(&app, &token).await })
    };
    for stranger in strangers {
        assert_eq!(stranger.await.unwrap(), 401);
    }
    let strangers_waited = began.elapsed();
    assert_eq!(owner.await.unwrap(), 200);
    assert!(
        strangers_waited < Duration::from_secs(4),
        "{strangers_waited:?}"
    );
    assert!(issuer.fetches().1 <= 3, "{:?}", issuer.fetches());
}

#[tokio::test]
async fn waiting_for_a_new_key_holds_up_no_other_request() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    let forger = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    // Issued after the last fetch, according to their claims.
    let new: Vec<_> = (0..3000)
        .map(|number| {
            let token = issuer.signed(&format!("new-{number}"), &forger, json!({}));
            let app = app.clone();
            tokio::spawn(async move { status(&app, &token).await })
        })
        .collect();
    tokio::task::yield_now().await;
    assert!(new.iter().all(|request| !request.is_finished()));
    let began = Instant::now();
    let old = issuer.signed("old", &forger, json!({ "iat": now() - 3600 }));
    assert_eq!(status(&app, &old).await, 401);
    assert!(began.elapsed() < Duration::from_secs(2));

    issuer.rotate();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    for request in new {
        assert_eq!(request.await.unwrap(), 401);
    }
    assert!(began.elapsed() < Duration::from_secs(9), "they wait once");
    assert_eq!(issuer.fetches().1, 2);
}

#[tokio::test]
async fn an_outage_of_one_issuer_is_none_of_another() {
    let (one, other) = (Issuer::start().await, Issuer::start().await);
    let build = |issuer: &Issuer| issuer.verifier().discover().build().unwrap();
    let jwt = Jwt::any_of([build(&one), build(&other)]).unwrap();
    one.stop().await;
    assert!(jwt.fetch_keys().await.is_err());
    assert_eq!(other.fetches(), (1, 1));
    let app = app(space(Bearer::jwt(jwt)));
    assert_eq!(status(&app, &one.token(json!({}))).await, 503);
    assert_eq!(status(&app, &other.token(json!({}))).await, 200);
}

#[tokio::test]
async fn a_new_key_is_found_although_the_clock_of_its_issuer_is_behind() {
    let issuer = Issuer::start().await;
    let jwt = issuer.verifier().discover().leeway(Duration::from_secs(30));
    let jwt = jwt.build().unwrap();
    jwt.fetch_keys().await.unwrap();
    let app = app(space(Bearer::jwt(jwt)));
    issuer.rotate();
    let began = Instant::now();
    let beyond = issuer.token(json!({ "iat": now() - 40 }));
    assert_eq!(status(&app, &beyond).await, 401);
    assert!(began.elapsed() < Duration::from_secs(4), "at once");
    let behind = issuer.token(json!({ "iat": now() - 20 }));
    assert_eq!(status(&app, &behind).await, 200);
    assert_eq!(issuer.fetches().1, 2);
}
