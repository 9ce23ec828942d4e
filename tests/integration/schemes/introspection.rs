//! Opaque tokens, and an endpoint on loopback that knows them, authenticates its clients, and can
//! be unavailable.

use auth_tests::App;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::schemes::{
    ClientCertificate, Introspection, IntrospectionBuilder, PeerCertificate, Redis,
    SharedTokenCache, TokenCache,
};
use auth_runtime::{ClientAddress, ProtectedRouter};
use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Form, Json, routing};
use jsonwebtoken::{DecodingKey, Validation, decode};

use crate::schemes::tokens::{keys, now};
use crate::schemes::*;

/// The responses of the endpoint by token, and the requesting clients.
#[derive(Default)]
struct Endpoint {
    tokens: Mutex<HashMap<String, Value>>,
    status: Mutex<u16>,
    questions: AtomicUsize,
    in_flight: AtomicUsize,
    most_at_a_time: AtomicUsize,
    /// The duration of a response, besides 30 ms.
    delay: Mutex<Duration>,
    last: Mutex<(Option<String>, HashMap<String, String>)>,
}

struct Server {
    address: SocketAddr,
    endpoint: Arc<Endpoint>,
    server: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let endpoint = Arc::new(Endpoint::default());
        *endpoint.status.lock().unwrap() = 200;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let app = Router::new()
            .route("/introspect", routing::post(introspect))
            .with_state(Arc::clone(&endpoint));
        let server = async move { axum::serve(listener, app).await.expect("it serves") };
        Self {
            address,
            endpoint,
            server: tokio::spawn(server),
        }
    }

    fn says(&self, token: &str, answer: Value) {
        let mut tokens = self.endpoint.tokens.lock().unwrap();
        tokens.insert(token.to_owned(), answer);
    }

    fn questions(&self) -> usize {
        self.endpoint.questions.load(Ordering::SeqCst)
    }

    fn builder(&self) -> IntrospectionBuilder {
        self.undecided().any_audience()
    }

    /// Returns a builder without an audience.
    fn undecided(&self) -> IntrospectionBuilder {
        Introspection::builder()
            .endpoint(format!("http://{}/introspect", self.address))
            .client_secret("my:api", "a secret & more")
    }

    fn app(&self) -> ProtectedRouter {
        of(self.builder())
    }
}

fn of(builder: IntrospectionBuilder) -> ProtectedRouter {
    app(space(Bearer::introspection(builder.build().unwrap())))
}

async fn introspect(
    State(endpoint): State<Arc<Endpoint>>,
    headers: http::HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    endpoint.questions.fetch_add(1, Ordering::SeqCst);
    let in_flight = endpoint.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
    endpoint
        .most_at_a_time
        .fetch_max(in_flight, Ordering::SeqCst);
    let delay = *endpoint.delay.lock().unwrap();
    tokio::time::sleep(Duration::from_millis(30) + delay).await;
    endpoint.in_flight.fetch_sub(1, Ordering::SeqCst);
    let token = form.get("token").cloned().unwrap_or_default();
    let authorization = headers.get("authorization");
    let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
    *endpoint.last.lock().unwrap() = (authorization, form);
    let status = StatusCode::from_u16(*endpoint.status.lock().unwrap()).unwrap();
    let tokens = endpoint.tokens.lock().unwrap();
    let answer = tokens.get(&token).cloned();
    (status, Json(answer.unwrap_or(json!({ "active": false })))).into_response()
}

async fn status(app: &impl App, token: &str) -> u16 {
    send(app, "/read", &bearer(token)).await.status().as_u16()
}

fn active() -> Value {
    json!({ "active": true, "sub": "ann", "scope": "read", "exp": now() + 600 })
}

#[tokio::test]
async fn a_token_may_be_bound_to_a_certificate() {
    let server = Server::start().await;
    let own = PeerCertificate::new("a certificate");
    let mut answer = active();
    answer["cnf"] = json!({ "x5t#S256": own.thumbprint() });
    server.says("bound", answer);
    let bearer = Bearer::introspection(server.builder().build().unwrap());
    let certificate = ClientCertificate::connection();
    let app = app(space(bearer.client_certificate(certificate)));
    let ask = async |shown: Option<PeerCertificate>| {
        let mut request = Request::get("/read").body(Body::empty()).unwrap();
        if let Some(shown) = shown {
            request.extensions_mut().insert(shown);
        }
        let headers = request.headers_mut();
        headers.insert("authorization", HeaderValue::from_static("Bearer bound"));
        app.clone().oneshot(request).await.unwrap().status()
    };
    // The cached binding is compared with the certificate of each request.
    for _ in 0..2 {
        assert_eq!(ask(Some(own.clone())).await, 200);
        let other = PeerCertificate::new("another certificate");
        assert_eq!(ask(Some(other)).await, 401);
        assert_eq!(ask(None).await, 401);
    }
    assert_eq!(server.questions(), 1);
}

#[tokio::test]
async fn the_server_decides_what_a_token_is_worth() {
    let server = Server::start().await;
    let with = |name: &str, value: Value| {
        let mut answer = active();
        answer[name] = value;
        answer
    };
    let expected = [
        ("good", active(), 200),
        ("other-scope", with("scope", json!("write")), 403),
        (
            "inactive",
            json!({ "active": false, "sub": "ann", "scope": "read" }),
            401,
        ),
        ("active-in-words", with("active", json!("true")), 401),
        ("expired", with("exp", json!(now() - 600)), 401),
        ("expiry-is-no-number", with("exp", json!("tomorrow")), 401),
        ("not-yet", with("nbf", json!(now() + 600)), 401),
        ("of-nobody", with("sub", json!("")), 401),
        ("bound", with("cnf", json!({ "jkt": "x" })), 401),
        (
            "no-expiry",
            json!({ "active": true, "client_id": "job", "sub": "job", "scope": "read" }),
            200,
        ),
        (
            "no-subject",
            json!({ "active": true, "client_id": "spa", "username": "ann", "scope": "read" }),
            401,
        ),
        ("identity-token", with("token_use", json!("id")), 401),
        ("logout-token", with("events", json!({})), 401),
    ];
    for (token, answer, _) in &expected {
        server.says(token, answer.clone());
    }
    let app = server.app();
    for (token, _, status) in expected {
        assert_eq!(self::status(&app, token).await, status, "{token}");
    }
    assert_eq!(status(&app, "never-heard-of").await, 401);
    let response = send(&app, "/known", &bearer("expired")).await;
    assert_eq!(challenges(&response), [EXPIRED]);
}

#[tokio::test]
async fn another_member_names_the_caller_where_it_is_configured() {
    let server = Server::start().await;
    for (token, user) in [("a", "ann"), ("b", "bob")] {
        let answer = json!({
            "active": true, "client_id": "spa", "username": user, "scope": "read",
        });
        server.says(token, answer);
    }
    let app = of(server.undecided().any_audience().subject_claim("username"));
    for (token, user) in [("a", "ann"), ("b", "bob")] {
        let response = send(&app, "/known", &bearer(token)).await;
        let identity = text(response).await;
        assert!(identity.contains(user), "{identity}");
    }
}

#[tokio::test]
async fn issuer_and_audience_are_checked_where_they_are_configured() {
    let server = Server::start().await;
    let mut ours = active();
    ours["iss"] = json!(ISSUER);
    ours["aud"] = json!([AUDIENCE, "https://other.example"]);
    let mut foreign = ours.clone();
    foreign["aud"] = json!("https://other.example");
    let mut forged = ours.clone();
    forged["iss"] = json!("https://other.example");
    server.says("ours", ours);
    server.says("foreign", foreign);
    server.says("forged", forged);
    server.says("silent", active());
    let app = of(server.undecided().issuer(ISSUER).audience(AUDIENCE));
    for (token, expected) in [
        ("ours", 200),
        ("foreign", 401),
        ("forged", 401),
        ("silent", 401),
    ] {
        assert_eq!(status(&app, token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn an_outage_is_no_verdict() {
    let server = Server::start().await;
    server.says("good", active());
    server.says("other", active());
    let app = server.app();
    assert_eq!(status(&app, "good").await, 200);
    for trouble in [401, 403, 429, 500, 302] {
        *server.endpoint.status.lock().unwrap() = trouble;
        let response = send(&app, "/read", &bearer("other")).await;
        assert_eq!(response.status(), 503, "{trouble}");
        assert_eq!(response.headers()["retry-after"], "5");
        assert!(challenges(&response).is_empty());
    }
    assert_eq!(status(&app, "good").await, 200, "remembered");
    *server.endpoint.status.lock().unwrap() = 200;
    assert_eq!(status(&app, "other").await, 200);
    server.says("third", json!([1, 2]));
    assert_eq!(status(&app, "third").await, 503);
    server.server.abort();
    assert_eq!(status(&app, "fourth").await, 503);
}

#[tokio::test]
async fn an_answer_is_remembered_and_asked_for_once() {
    let server = Server::start().await;
    server.says("good", active());
    let app = server.app();
    let requests = (0..30).map(|_| {
        let app = app.clone();
        tokio::spawn(async move { status(&app, "good").await })
    });
    let requests: Vec<_> = requests.collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(server.questions(), 1);
    assert_eq!(status(&app, "bad").await, 401);
    assert_eq!(status(&app, "bad").await, 401);
    assert_eq!(server.questions(), 3, "what is rejected is not remembered");

    let app = of(server.builder().without_cache());
    for _ in 0..2 {
        assert_eq!(status(&app, "good").await, 200);
    }
    assert_eq!(server.questions(), 5);
}

#[tokio::test]
async fn an_answer_is_not_remembered_beyond_its_expiry_nor_after_it_was_forgotten() {
    let server = Server::start().await;
    let mut short = active();
    short["exp"] = json!(now() + 1);
    server.says("short", short);
    server.says("good", active());
    let cache = TokenCache::new(100, Duration::from_secs(60));
    let app = of(server.builder().cache(cache.clone()));
    assert_eq!(status(&app, "short").await, 200);
    assert_eq!(status(&app, "good").await, 200);
    let revoked = json!({ "active": false });
    server.says("short", revoked.clone());
    server.says("good", revoked);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(status(&app, "short").await, 401);
    assert_eq!(
        status(&app, "good").await,
        200,
        "remembered for up to a minute"
    );
    cache.forget("good");
    assert_eq!(status(&app, "good").await, 401);
}

#[tokio::test]
async fn the_service_proves_who_it_is() {
    let server = Server::start().await;
    server.says("good", active());
    assert_eq!(status(&server.app(), "good").await, 200);
    let (authorization, form) = server.endpoint.last.lock().unwrap().clone();
    let encoded = STANDARD.encode("my%3Aapi:a+secret+%26+more");
    assert_eq!(authorization.unwrap(), format!("Basic {encoded}"));
    assert_eq!(form["token_type_hint"], "access_token");

    let pem = keys().ec.serialize_pem();
    let builder = Introspection::builder()
        .endpoint(format!("http://{}/introspect", server.address))
        .private_key_es256("my-api", pem, ISSUER)
        .any_audience();
    let app = of(builder.without_cache());
    let mut proofs = Vec::new();
    for _ in 0..2 {
        assert_eq!(status(&app, "good").await, 200);
        let (authorization, form) = server.endpoint.last.lock().unwrap().clone();
        assert_eq!(authorization, None);
        assert_eq!(form["client_id"], "my-api");
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(form["client_assertion_type"], kind);
        let public = DecodingKey::from_ec_pem(keys().ec.public_key_pem().as_bytes()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[ISSUER]);
        validation.set_issuer(&["my-api"]);
        let proof = decode::<Value>(&form["client_assertion"], &public, &validation).unwrap();
        assert_eq!(proof.claims["sub"], "my-api");
        proofs.push(proof.claims["jti"].clone());
    }
    assert_ne!(proofs[0], proofs[1]);
}

#[test]
fn nothing_secret_is_shown_and_mistakes_are_found_at_once() {
    let builder = || Introspection::builder().client_secret("my-api", "not for everybody");
    let introspection = builder()
        .endpoint("https://issuer.example/introspect")
        .audience(AUDIENCE)
        .build();
    assert_eq!(
        format!("{:?}", introspection.unwrap()),
        r#"Introspection { endpoint: "https://issuer.example/introspect", client: "my-api", .. }"#
    );
    let with_endpoint = || Introspection::builder().endpoint("https://issuer.example/introspect");
    for (builder, message) in [
        (
            builder(),
            "the endpoint is missing; name it with `.endpoint(\"https://…\")`",
        ),
        (
            builder().endpoint("http://issuer.example/introspect"),
            "the endpoint \"http://issuer.example/introspect\" cannot be used: it has to be \
             https (or http on loopback, for tests)",
        ),
        (
            with_endpoint(),
            "the credentials of the client are missing; add `.client_secret(…)` or \
             `.private_key_es256(…)`",
        ),
        (
            builder().endpoint("https://issuer.example/introspect"),
            "the audience is missing, so tokens for other services would be accepted; name it \
             with `.audience(\"…\")`, or choose `.any_audience()`",
        ),
        (
            with_endpoint()
                .client_secret("my-api", "")
                .audience(AUDIENCE)
                .subject_claim(""),
            "the name of a claim is empty",
        ),
        (
            with_endpoint()
                .client_secret("my-api", "")
                .audience(AUDIENCE)
                .issuer(""),
            "the issuer is empty",
        ),
        (
            with_endpoint().client_secret("my-api", "").audience(""),
            "the audience is missing, so tokens for other services would be accepted; name it \
             with `.audience(\"…\")`, or choose `.any_audience()`",
        ),
        (
            with_endpoint().private_key_rs256("my-api", "no key", ISSUER),
            "the key is not a private key for RS256 in PEM",
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), message);
    }
}

#[tokio::test]
async fn what_is_no_access_token_opens_nothing() {
    let server = Server::start().await;
    let app = server.app();
    for (name, value, expected) in [
        ("token_type", json!("Bearer"), 200),
        ("token_type", json!("bearer"), 200),
        ("token_type", json!("access_token"), 200),
        ("token_type", json!("DPoP"), 401),
        ("token_type", json!("refresh_token"), 401),
        ("token_type", json!(7), 401),
        ("token_use", json!("access"), 200),
        ("token_use", json!("access_token"), 200),
        ("token_use", json!("refresh_token"), 401),
        ("token_use", json!("id"), 401),
        ("typ", json!("Bearer"), 200),
        ("typ", json!("at+jwt"), 200),
        ("typ", json!("Refresh"), 401),
        ("typ", json!("Offline"), 401),
        ("typ", json!("ID"), 401),
    ] {
        let token = format!("token-{name}-{value}").replace(['"', '+'], "");
        let mut answer = active();
        answer[name] = value;
        server.says(&token, answer);
        // The second response is from the cache.
        for _ in 0..2 {
            assert_eq!(status(&app, &token).await, expected, "{token}");
        }
    }
}

#[tokio::test]
async fn bad_news_is_shared_too() {
    let server = Server::start().await;
    let app = server.app();
    for (of_endpoint, expected) in [(200, 401), (500, 503)] {
        *server.endpoint.status.lock().unwrap() = of_endpoint;
        let before = server.questions();
        let requests = (0..20).map(|_| {
            let app = app.clone();
            tokio::spawn(async move { status(&app, "nobody-knows-it").await })
        });
        let requests: Vec<_> = requests.collect();
        for request in requests {
            assert_eq!(request.await.unwrap(), expected);
        }
        assert_eq!(server.questions() - before, 1);
        // The result is shared, but not cached: the next request is sent to the server.
        assert_eq!(status(&app, "nobody-knows-it").await, expected);
        assert_eq!(server.questions() - before, 2);
    }
}

#[tokio::test]
async fn who_asked_and_went_away_keeps_nobody_waiting() {
    let server = Server::start().await;
    server.says("good", active());
    let app = server.app();
    let gone = tokio::spawn({
        let app = app.clone();
        async move { status(&app, "good").await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let waiting = tokio::spawn(async move { status(&app, "good").await });
    tokio::time::sleep(Duration::from_millis(5)).await;
    gone.abort();
    assert_eq!(waiting.await.unwrap(), 200);
}

#[tokio::test]
async fn who_is_forgotten_while_being_asked_about_is_not_remembered() {
    let server = Server::start().await;
    server.says("good", active());
    let forgetting: [fn(&TokenCache); 3] = [
        |cache| cache.forget("good"),
        |cache| cache.forget_where(|identity| identity.subject() == "ann"),
        TokenCache::clear,
    ];
    for forget in forgetting {
        let cache = TokenCache::new(10, Duration::from_secs(60));
        let app = of(server.builder().cache(cache.clone()));
        let asking = tokio::spawn(async move { status(&app, "good").await });
        tokio::time::sleep(Duration::from_millis(10)).await;
        forget(&cache);
        assert_eq!(asking.await.unwrap(), 200);
        assert!(cache.is_empty(), "{cache:?}");
    }
}

#[tokio::test]
async fn who_comes_after_a_token_was_forgotten_gets_no_answer_from_before() {
    let server = Server::start().await;
    server.says("good", active());
    let cache = TokenCache::new(10, Duration::from_secs(60));
    let app = of(server.builder().cache(cache.clone()));
    let before = tokio::spawn({
        let app = app.clone();
        async move { status(&app, "good").await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(server.questions(), 1);
    cache.forget("good");
    assert_eq!(status(&app, "good").await, 200);
    assert_eq!(server.questions(), 2, "it was asked about anew");
    assert_eq!(before.await.unwrap(), 200);
    assert_eq!(status(&app, "good").await, 200);
    assert_eq!(server.questions(), 2, "what was said then is remembered");
}

/// A request of this peer.
fn request_from(peer: &str, token: &str) -> Request {
    let request = Request::get("/read").header("authorization", format!("Bearer {token}"));
    let mut request = request.body(Body::empty()).expect("a request");
    let peer: SocketAddr = peer.parse().expect("an address");
    request.extensions_mut().insert(peer);
    request
}

async fn status_of(app: &impl App, request: Request) -> u16 {
    let response = app.clone().oneshot(request).await.expect("infallible");
    response.status().as_u16()
}

async fn status_from(app: &impl App, client: &str, token: &str) -> u16 {
    status_of(app, request_from(client, token)).await
}

impl Server {
    fn takes(&self, delay: Duration) {
        *self.endpoint.delay.lock().unwrap() = delay;
    }

    /// Waits for this number of requests to the endpoint.
    async fn was_asked(&self, times: usize) {
        while self.questions() < times {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

const HOSTILE: &str = "203.0.113.9:1";
const PROXY: &str = "192.0.2.7:1";

#[tokio::test]
async fn made_up_tokens_of_one_client_shut_out_no_other() {
    let server = Server::start().await;
    server.says("good", active());
    server.takes(Duration::from_secs(3));
    let app = server.app();
    let hostile: Vec<_> = (0..2000)
        .map(|number| {
            let app = app.clone();
            let token = format!("made-up-{number}");
            tokio::spawn(async move { status_from(&app, HOSTILE, &token).await })
        })
        .collect();
    server.was_asked(64).await;
    server.takes(Duration::ZERO);
    assert_eq!(status_from(&app, "192.0.2.1:1", "good").await, 200);
    let mut statuses = Vec::new();
    for request in hostile {
        statuses.push(request.await.unwrap());
    }
    let answered = statuses.iter().filter(|status| **status == 401).count();
    assert!(answered >= 64, "{answered}");
    assert!(statuses.iter().all(|status| [401, 503].contains(status)));
    let most = server.endpoint.most_at_a_time.load(Ordering::SeqCst);
    assert!(most <= 65, "a share has an end: {most}");
    assert_eq!(status_from(&app, HOSTILE, "made-up").await, 401);
}

/// All clients behind a proxy without readable addresses share one limit.
#[tokio::test]
async fn a_spoilt_field_of_a_proxy_leaves_no_share() {
    let spoilt = [
        ("forwarded", "for=\", for=203.0.113.66".to_owned()),
        (
            "forwarded",
            format!("{}for=203.0.113.66", "for=1.2.3.4, ".repeat(800)),
        ),
        (
            "x-forwarded-for",
            format!("{}203.0.113.66", "1.2.3.4, ".repeat(1000)),
        ),
    ];
    for (field, value) in spoilt {
        let server = Server::start().await;
        server.says("good", active());
        server.takes(Duration::from_secs(2));
        let proxies = ["192.0.2.7/32".parse().unwrap()];
        let (address, clean) = match field {
            "forwarded" => (ClientAddress::forwarded(proxies), "for=198.51.100.1"),
            _ => (ClientAddress::x_forwarded_for(proxies), "198.51.100.1"),
        };
        let bearer = Bearer::introspection(server.builder().build().unwrap());
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        let space = space.client_address(address.unwrap());
        let app = app(space.build().unwrap());
        let by_proxy = |token: &str, value: &str| {
            let mut request = request_from(PROXY, token);
            let value = HeaderValue::from_str(value).expect("a field");
            request.headers_mut().insert(field, value);
            request
        };
        let hostile: Vec<_> = (0..600)
            .map(|number| {
                let request = by_proxy(&format!("made-up-{number}"), &value);
                let app = app.clone();
                tokio::spawn(async move { status_of(&app, request).await })
            })
            .collect();
        server.was_asked(64).await;
        server.takes(Duration::ZERO);
        assert_eq!(
            status_of(&app, by_proxy("good", clean)).await,
            200,
            "{value}"
        );
        let most = server.endpoint.most_at_a_time.load(Ordering::SeqCst);
        assert!(most <= 65, "a share has an end: {most}");
        for request in hostile {
            request.abort();
        }
    }
}

/// A client waits for its own share only, also for a token of other clients.
#[tokio::test]
async fn a_client_without_a_place_delays_no_other_with_the_same_token() {
    let server = Server::start().await;
    server.says("good", active());
    server.takes(Duration::from_secs(3));
    let app = server.app();
    let from_hostile = |token: String| {
        let app = app.clone();
        tokio::spawn(async move { status_from(&app, HOSTILE, &token).await })
    };
    let busy: Vec<_> = (0..64)
        .map(|number| from_hostile(format!("made-up-{number}")))
        .collect();
    server.was_asked(64).await;
    server.takes(Duration::ZERO);
    let waiting: Vec<_> = (0..3).map(|_| from_hostile("good".to_owned())).collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.questions(), 64, "there is no place for them");
    let answer = status_from(&app, "198.51.100.1:1", "good");
    let answer = tokio::time::timeout(Duration::from_millis(700), answer).await;
    assert_eq!(answer, Ok(200));
    // The others wait for the same response.
    for request in waiting {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(server.questions(), 65);
    for request in busy {
        request.abort();
    }
}

/// Requests with the same token share one place.
#[tokio::test]
async fn requests_that_wait_for_an_answer_hold_no_places() {
    let server = Server::start().await;
    server.says("good", active());
    server.takes(Duration::from_millis(1500));
    let app = server.app();
    let requests: Vec<_> = (0..300)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { status_from(&app, "192.0.2.1:1", "good").await })
        })
        .collect();
    server.was_asked(1).await;
    let other = status_from(&app, "192.0.2.1:1", "other");
    assert_eq!(other.await, 401);
    for request in requests {
        assert_eq!(
            request.await.unwrap(),
            200,
            "for longer than a place is waited for"
        );
    }
    assert_eq!(server.questions(), 2);
}

#[tokio::test]
async fn a_shared_cache_remembers_for_a_day_at_most() {
    let server = Server::start().await;
    server.says("good", active());
    for max_age in [Duration::from_secs(60), Duration::MAX] {
        let redis = Redis::builder("redis://127.0.0.1:1/").build().unwrap();
        let shared = SharedTokenCache::new(redis, [7; 32], max_age);
        assert_eq!(
            status(&of(server.builder().shared_cache(shared)), "good").await,
            200
        );
    }
}

#[tokio::test]
async fn an_identity_names_the_issuer_that_the_server_names() {
    let server = Server::start().await;
    let mut named = active();
    named["iss"] = json!(ISSUER);
    server.says("named", named);
    server.says("nameless", active());
    let app = server.app();
    for (token, expected) in [
        ("named", format!("issuer: Some({ISSUER:?})")),
        ("nameless", "issuer: None".to_owned()),
    ] {
        let identity = text(send(&app, "/known", &bearer(token)).await).await;
        assert!(identity.contains(&expected), "{identity}");
    }
}
