//! Keys and introspection within a cluster: plain HTTP, own authorities, and sources of the service.

use std::error::Error;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_runtime::clock::ManualClock;
use auth_runtime::resource::UrlProblem;
use auth_runtime::schemes::{Introspection, IntrospectionError, JwtBuilder, KeySource};
use auth_tests::App;
use auth_tests::tls::{self, Authority};
use axum::{Json, routing};
use http::HeaderMap;
use tokio::sync::{Notify, Semaphore};

use crate::schemes::tokens::{claims, keys, now};
use crate::schemes::*;

/// A key set with the ES256 key of the tests under this name.
fn jwks(id: &str) -> Value {
    let point = keys().ec.public_key_raw();
    let (x, y) = point[1..].split_at(32);
    json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
        "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    }] })
}

fn token(id: &str) -> String {
    signed_with(id, json!({}))
}

/// A token with the time at which it was issued.
fn new_token(id: &str) -> String {
    signed_with(id, json!({ "iat": now() }))
}

fn signed_with(id: &str, changes: Value) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(id.to_owned());
    let key = keys().signer(Algorithm::ES256);
    encode(&header, &claims(changes), &key).expect("a token")
}

fn of(builder: JwtBuilder) -> ProtectedRouter {
    app(space(Bearer::jwt(builder.build().expect("a verifier"))))
}

/// The issuer has a public name, and its keys an internal one.
fn jwt() -> JwtBuilder {
    Jwt::builder().issuer(ISSUER).audience(AUDIENCE)
}

async fn status(app: &impl App, token: &str) -> u16 {
    send(app, "/read", &bearer(token)).await.status().as_u16()
}

async fn metadata(fields: HeaderMap) -> Json<Value> {
    let issuer = format!("http://{}", fields["host"].to_str().expect("a host"));
    Json(json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }))
}

/// A server on an address that is not a loopback address.
async fn cluster() -> SocketAddr {
    let answer = json!({ "active": true, "sub": "ann", "scope": "read", "aud": AUDIENCE });
    let app = Router::new()
        .route("/keys", routing::get(Json(jwks("a"))))
        .route("/introspect", routing::post(Json(answer)))
        .route("/.well-known/openid-configuration", routing::get(metadata));
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
    address
}

#[tokio::test]
async fn plain_http_keys_need_their_setting() {
    let address = cluster().await;
    let url = format!("http://{address}/keys");
    let app = of(jwt().jwks_over_plain_http(&url));
    assert_eq!(status(&app, &token("a")).await, 200);
    let error = jwt().jwks_url(&url).build().unwrap_err();
    let expected = JwtError::Url {
        url,
        problem: UrlProblem::NotHttps,
    };
    assert_eq!(error, expected);
    assert!(
        error.to_string().contains(".jwks_over_plain_http("),
        "{error}"
    );
    for (url, is_valid) in [
        ("http://keycloak:8080/certs", true),
        ("https://keycloak/certs", true),
        ("http://user@keycloak/certs", false),
        ("ftp://keycloak/certs", false),
        ("keycloak:8080/certs", false),
        ("http://keycloak/certs#keys", false),
    ] {
        let built = jwt().jwks_over_plain_http(url).build();
        assert_eq!(built.is_ok(), is_valid, "{url}");
    }
}

#[tokio::test]
async fn plain_http_endpoint_needs_its_setting() {
    let url = format!("http://{}/introspect", cluster().await);
    let builder = || {
        let builder = Introspection::builder().client_secret("api", "secret");
        builder.audience(AUDIENCE)
    };
    let introspection = builder().endpoint_over_plain_http(&url).build();
    let app = app(space(Bearer::introspection(
        introspection.expect("an endpoint"),
    )));
    assert_eq!(status(&app, "opaque").await, 200);
    let error = builder().endpoint(&url).build().unwrap_err();
    assert!(
        error.to_string().contains(".endpoint_over_plain_http("),
        "{error}"
    );
    // The last setting counts.
    let error = builder()
        .endpoint_over_plain_http(&url)
        .endpoint(&url)
        .build();
    assert!(matches!(error, Err(IntrospectionError::Url { .. })));
}

/// The proxies are those of the environment, so this test runs in a process of its own.
#[tokio::test]
async fn plain_http_requests_use_no_proxy() {
    if std::env::var_os("IS_BEHIND_PROXIES").is_none() {
        let mut test = Command::new(std::env::current_exe().expect("this program"));
        test.args([
            "--exact",
            "schemes::in_cluster::plain_http_requests_use_no_proxy",
        ]);
        // No proxy is there.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "IS_BEHIND_PROXIES"] {
            test.env(name, "http://127.0.0.1:1");
        }
        for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
            test.env_remove(name);
        }
        let output = test.output().expect("a run");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("1 passed"), "{text}");
        return;
    }
    let address = cluster().await;
    let here = format!("http://127.0.0.1:{}", address.port());
    let authority = Authority::new();
    let answer = json!({ "active": true, "sub": "ann", "scope": "read", "aud": AUDIENCE });
    let server = Router::new()
        .route("/keys", routing::get(Json(jwks("a"))))
        .route("/introspect", routing::post(Json(answer)));
    let port = tls::serve(server, &authority).await.port();
    for (builder, expected) in [
        (
            jwt().jwks_over_plain_http(format!("http://{address}/keys")),
            200,
        ),
        (jwt().jwks_url(format!("{here}/keys")), 200),
        (
            jwt()
                .jwks_url(format!("https://localhost:{port}/keys"))
                .ca_certificates(authority.pem()),
            503,
        ),
    ] {
        assert_eq!(status(&of(builder), &token("a")).await, expected);
    }
    let discovered = Jwt::builder().issuer(&here).audience(AUDIENCE).discover();
    let own = signed_with("a", json!({ "iss": here }));
    assert_eq!(status(&of(discovered), &own).await, 200);
    let builder = || Introspection::builder().client_secret("api", "secret");
    for (builder, expected) in [
        (
            builder().endpoint_over_plain_http(format!("http://{address}/introspect")),
            200,
        ),
        (builder().endpoint(format!("{here}/introspect")), 200),
        (
            builder()
                .endpoint(format!("https://localhost:{port}/introspect"))
                .ca_certificates(authority.pem()),
            503,
        ),
    ] {
        let introspection = builder.audience(AUDIENCE).build().expect("an endpoint");
        let app = app(space(Bearer::introspection(introspection)));
        assert_eq!(status(&app, "opaque").await, expected);
    }
}

#[tokio::test]
async fn own_authorities_replace_the_system() {
    let authority = Authority::new();
    let answer = json!({ "active": true, "sub": "ann", "scope": "read" });
    let server = Router::new()
        .route("/keys", routing::get(Json(jwks("a"))))
        .route("/introspect", routing::post(Json(answer)));
    let address = tls::serve(server, &authority).await;
    let url = |path: &str| format!("https://localhost:{}{path}", address.port());
    let of_keys = |builder: JwtBuilder| of(builder.jwks_url(url("/keys")));
    let other = Authority::new().pem();
    for (app, expected) in [
        (of_keys(jwt().ca_certificates(authority.pem())), 200),
        (of_keys(jwt().ca_certificates(other.clone())), 503),
        (of_keys(jwt()), 503),
    ] {
        assert_eq!(status(&app, &token("a")).await, expected);
    }
    for (pem, expected) in [
        (Some(authority.pem()), 200),
        (Some(other), 503),
        (None, 503),
    ] {
        let mut builder = Introspection::builder()
            .endpoint(url("/introspect"))
            .client_secret("api", "secret")
            .any_audience();
        if let Some(pem) = pem {
            builder = builder.ca_certificates(pem);
        }
        let scheme = Bearer::introspection(builder.build().expect("an endpoint"));
        assert_eq!(status(&app(space(scheme)), "opaque").await, expected);
    }
    for pem in ["", "no PEM", &keys().ec.public_key_pem()] {
        let built = jwt().jwks_url(url("/keys")).ca_certificates(pem).build();
        assert_eq!(built.unwrap_err(), JwtError::CaCertificates, "{pem}");
        let built = Introspection::builder()
            .endpoint(url("/introspect"))
            .client_secret("api", "secret")
            .any_audience()
            .ca_certificates(pem)
            .build();
        assert_eq!(built.unwrap_err(), IntrospectionError::CaCertificates);
    }
}

#[derive(Clone)]
enum Answer {
    Document(String),
    Fails,
    Panics,
}

/// A source with changing answers, and the number of calls.
#[derive(Clone)]
struct Source(Arc<(Mutex<Answer>, AtomicUsize)>);

impl Source {
    fn new(answer: Answer) -> Self {
        Self(Arc::new((Mutex::new(answer), AtomicUsize::new(0))))
    }

    fn answers(&self, answer: Answer) {
        *self.0.0.lock().unwrap() = answer;
    }

    fn calls(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

impl KeySource for Source {
    async fn fetch(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        let answer = self.0.0.lock().unwrap().clone();
        match answer {
            Answer::Document(document) => Ok(document),
            Answer::Fails => Err("no such file".into()),
            Answer::Panics => panic!("a mistake of the service"),
        }
    }
}

#[tokio::test]
async fn key_source_is_read_on_demand() {
    let source = Source::new(Answer::Document(jwks("a").to_string()));
    let jwt = jwt()
        .key_source(source.clone())
        .build()
        .expect("a verifier");
    let app = app(space(Bearer::jwt(jwt.clone())));
    assert_eq!(source.calls(), 0);
    for _ in 0..3 {
        assert_eq!(status(&app, &token("a")).await, 200);
    }
    assert_eq!(source.calls(), 1);
    // Within 5 seconds, made-up names cause no further calls.
    for _ in 0..20 {
        assert_eq!(status(&app, &token("made-up")).await, 401);
    }
    assert_eq!(source.calls(), 1);
    source.answers(Answer::Document(jwks("b").to_string()));
    jwt.fetch_keys().await.expect("keys");
    assert_eq!(status(&app, &token("b")).await, 200);
    assert_eq!(status(&app, &token("a")).await, 401);
}

/// On a runtime without a timer, each fetch panics.
#[test]
fn panic_of_a_fetch_is_503() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let source = Source::new(Answer::Document(jwks("a").to_string()));
        let (app, token) = (of(jwt().key_source(source)), token("a"));
        let turns = async {
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            code = status(&app, &token) => assert_eq!(code, 503),
            () = turns => panic!("the request does not end"),
        }
    });
}

#[tokio::test]
async fn key_source_refreshes_after_ten_minutes() {
    let time = ManualClock::new(SystemTime::now());
    let source = Source::new(Answer::Document(jwks("a").to_string()));
    let app = of(jwt().key_source(source.clone()).clock(time.clock()));
    for (seconds, calls) in [(0, 1), (0, 1), (599, 1), (1, 2), (0, 2)] {
        time.advance(Duration::from_secs(seconds));
        assert_eq!(status(&app, &token("a")).await, 200);
        // The call in the background ends.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(source.calls(), calls, "{seconds}");
    }
}

#[tokio::test]
async fn reading_keys_again_waits_a_second() {
    let time = ManualClock::new(SystemTime::now());
    let source = Source::new(Answer::Document(jwks("a").to_string()));
    let builder = jwt().refresh_every(Duration::ZERO).clock(time.clock());
    let app = of(builder.key_source(source.clone()));
    for (millis, calls) in [(0, 1), (0, 1), (999, 1), (1, 2), (0, 2)] {
        time.advance(Duration::from_millis(millis));
        assert_eq!(status(&app, &token("a")).await, 200);
        // The call in the background ends.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(source.calls(), calls, "{millis}");
    }
}

/// Keys at hand stay in use meanwhile.
#[tokio::test]
async fn failing_key_source_waits_half_minute() {
    let time = ManualClock::new(SystemTime::now());
    let source = Source::new(Answer::Document(jwks("a").to_string()));
    let app = of(jwt().key_source(source.clone()).clock(time.clock()));
    assert_eq!(status(&app, &token("a")).await, 200);
    source.answers(Answer::Fails);
    for (seconds, calls) in [(600, 2), (0, 2), (29, 2), (1, 3), (0, 3)] {
        time.advance(Duration::from_secs(seconds));
        assert_eq!(status(&app, &token("a")).await, 200);
        // The call in the background ends.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(source.calls(), calls, "{seconds}");
    }
}

/// A source that never responds.
struct HangingSource;

impl KeySource for HangingSource {
    async fn fetch(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_key_source_is_503() {
    let app = of(jwt().key_source(HangingSource));
    let begin = tokio::time::Instant::now();
    assert_eq!(status(&app, &token("a")).await, 503);
    let seconds = begin.elapsed().as_secs();
    assert!((10..=11).contains(&seconds), "{seconds}");
}

/// A key set of this length.
fn padded_jwks(length: usize) -> String {
    let keys = jwks("a").to_string();
    " ".repeat(length - keys.len()) + &keys
}

#[tokio::test]
async fn key_source_may_have_mebibyte() {
    let source = Source::new(Answer::Document(padded_jwks(1 << 20)));
    let jwt = jwt().key_source(source).build().expect("a verifier");
    jwt.fetch_keys().await.expect("keys");
}

/// A source whose answers wait for a permit. The document is that of the begin.
#[derive(Clone)]
struct SlowSource(Arc<SlowDocument>);

struct SlowDocument {
    document: Mutex<String>,
    has_begun: Notify,
    permits: Semaphore,
}

impl KeySource for SlowSource {
    async fn fetch(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        let document = self.0.document.lock().unwrap().clone();
        self.0.has_begun.notify_one();
        self.0.permits.acquire().await?.forget();
        Ok(document)
    }
}

#[tokio::test]
async fn keys_published_during_fetches_are_found() {
    let time = ManualClock::new(SystemTime::now());
    let source = SlowSource(Arc::new(SlowDocument {
        document: Mutex::new(jwks("a").to_string()),
        has_begun: Notify::new(),
        permits: Semaphore::new(0),
    }));
    let builder = jwt().key_source(source.clone()).clock(time.clock());
    let app = of(builder);
    let ask = |id: &str| {
        let (app, token) = (app.clone(), new_token(id));
        tokio::spawn(async move { status(&app, &token).await })
    };
    let first = ask("a");
    source.0.has_begun.notified().await;
    *source.0.document.lock().unwrap() = jwks("b").to_string();
    let second = ask("b");
    tokio::task::yield_now().await;
    source.0.permits.add_permits(1);
    assert_eq!(first.await.unwrap(), 200);
    assert!(!second.is_finished(), "its key may be newer than the fetch");
    time.advance(Duration::from_secs(5));
    source.0.permits.add_permits(1);
    assert_eq!(second.await.unwrap(), 200);
}

#[tokio::test]
async fn failing_key_source_is_503() {
    for answer in [
        Answer::Fails,
        Answer::Panics,
        Answer::Document("no JSON".to_owned()),
        Answer::Document(json!({ "keys": [] }).to_string()),
        Answer::Document(padded_jwks((1 << 20) + 1)),
    ] {
        let source = Source::new(answer.clone());
        let jwt = jwt()
            .key_source(source.clone())
            .build()
            .expect("a verifier");
        let app = app(space(Bearer::jwt(jwt.clone())));
        let response = send(&app, "/read", &bearer(token("a"))).await;
        assert_eq!(response.status(), 503);
        assert!(response.headers().contains_key("retry-after"));
        assert_eq!(source.calls(), 1);

        source.answers(Answer::Document(jwks("a").to_string()));
        jwt.fetch_keys().await.expect("keys");
        assert_eq!(status(&app, &token("a")).await, 200);

        source.answers(answer);
        let error = jwt.fetch_keys().await.unwrap_err();
        assert!(matches!(error, JwtError::Unreachable(_)), "{error}");
        assert_eq!(status(&app, &token("a")).await, 200);
        assert_eq!(status(&app, &token("b")).await, 503);
    }
}
