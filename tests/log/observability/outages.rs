//! Outages of other servers, which are logged once, and the reasons for ignoring input.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use auth_runtime::clock::{Clock, ManualClock};
use auth_runtime::schemes::{
    Bearer, CertificateSource, Introspection, Jwt, JwtError, KeySource, MutualTls, ProxyIdentity,
    Redis, RedisError, Sessions, SharedTokenCache,
};
use auth_tests::ports::free_port;
use axum::Json;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_sessions::session::Id;
use tower_sessions::{MemoryStore, Session};

use super::*;

/// An endpoint whose status is set, and a service that asks it.
async fn introspected(clock: Clock) -> (Arc<Mutex<StatusCode>>, String, ProtectedRouter) {
    listen();
    let endpoint = Arc::new(Mutex::new(StatusCode::OK));
    let status = Arc::clone(&endpoint);
    let answer = move || {
        let status = *status.lock().expect("no panic");
        async move { (status, Json(json!({ "active": false }))) }
    };
    let server = axum::Router::new().route("/introspect", axum::routing::post(answer));
    let address = auth_tests::serve(server).await;
    let url = format!("http://{address}/introspect");
    let introspection = Introspection::builder()
        .endpoint(&url)
        .client_secret("api", "secret")
        .any_audience()
        .clock(clock);
    let bearer = Bearer::introspection(introspection.build().expect("an endpoint"));
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(bearer)
        .build();
    (endpoint, url, reads(space.expect("a space")))
}

#[tokio::test]
async fn introspection_logs_outage_begin_and_end() {
    let (endpoint, url, app) = introspected(Clock::system()).await;
    for (status, expected) in [
        (StatusCode::OK, None),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            Some("tokens cannot be introspected: "),
        ),
        (StatusCode::INTERNAL_SERVER_ERROR, None),
        (StatusCode::OK, Some("tokens can be introspected again")),
        (StatusCode::OK, None),
    ] {
        *endpoint.lock().expect("no panic") = status;
        send(&app, "/read", From::Lines(vec!["Bearer opaque".to_owned()])).await;
        let events = events("::introspection");
        match (events.as_slice(), expected) {
            ([], None) => {}
            ([event], Some(start)) => {
                let message = event[1]["message"].as_str().expect("a message");
                assert!(message.starts_with(start), "{message}");
                assert_eq!(event[1]["endpoint"], url);
            }
            (seen, expected) => panic!("{seen:?} in place of {expected:?}"),
        }
    }
}

/// A server that limits the rate of requests, which any client can exceed.
#[tokio::test]
async fn alternating_responses_log_once_a_minute() {
    let time = ManualClock::new(SystemTime::now());
    let (endpoint, _, app) = introspected(time.clock()).await;
    for minute in 0..2 {
        for number in 0..50 {
            for status in [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
                *endpoint.lock().expect("no panic") = status;
                let token = format!("Bearer opaque-{number}");
                send(&app, "/read", From::Lines(vec![token])).await;
            }
        }
        let messages = messages("::introspection");
        let [begin, end] = &messages[..] else {
            panic!("{minute}: {messages:?}");
        };
        assert!(begin.ends_with("429 Too Many Requests"), "{begin}");
        assert_eq!(end, "tokens can be introspected again");
        time.advance(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn redis_logs_an_outage_once() {
    listen();
    // A port without a server.
    let address = format!("127.0.0.1:{}", free_port());
    let redis = Redis::builder(format!("redis://:its-password@{address}/")).build();
    let cache = SharedTokenCache::new(redis.expect("a URL"), [7; 32], Duration::from_secs(60));
    for expected in [1, 0] {
        assert_eq!(cache.forget("token").await, Err(RedisError::NoResponse));
        let events = events("::redis");
        assert_eq!(events.len(), expected, "{events:?}");
        for event in events {
            let message = event[1]["message"].as_str().expect("a message");
            assert!(message.starts_with("Redis does not respond: "), "{message}");
            assert_eq!(event[1]["address"], address);
        }
    }
}

/// An error with a cause.
#[derive(Debug)]
struct NoVault(std::io::Error);

impl fmt::Display for NoVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the vault does not respond")
    }
}

impl Error for NoVault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Keys that are available while this is true.
struct Vault(Arc<AtomicBool>);

impl KeySource for Vault {
    async fn fetch(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        if !self.0.load(Ordering::Relaxed) {
            return Err(NoVault(std::io::Error::other("the token is too old")).into());
        }
        // RFC 7517 §A.1.
        let key = json!({
            "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        });
        Ok(json!({ "keys": [key] }).to_string())
    }
}

#[tokio::test]
async fn key_sources_log_begin_and_end() {
    listen();
    let is_open = Arc::new(AtomicBool::new(true));
    let jwt = Jwt::builder()
        .issuer("https://issuer.example")
        .audience("api")
        .key_source(Vault(Arc::clone(&is_open)))
        .build()
        .expect("a verifier");
    const FAILED: &str = "the keys of the issuer could not be fetched: the key source: the vault \
                          does not respond: the token is too old";
    for (opens, expected) in [
        (true, None),
        (false, Some(FAILED)),
        (false, Some(FAILED)),
        (true, Some("the keys of the issuer can be fetched again")),
        (true, None),
    ] {
        is_open.store(opens, Ordering::Relaxed);
        assert_eq!(jwt.fetch_keys().await.is_ok(), opens);
        let expected = expected.map(
            |message| json!(["WARN", { "message": message, "issuer": "https://issuer.example" }]),
        );
        assert_eq!(events("::fetched_keys"), Vec::from_iter(expected));
    }
}

#[tokio::test]
async fn outages_of_load_balancers_name_server() {
    const ARN: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";
    listen();
    let answers = |status: StatusCode, body: &'static str| {
        axum::routing::get(move || std::future::ready((status, body)))
    };
    let server = axum::Router::new()
        .route("/down", answers(StatusCode::BAD_GATEWAY, ""))
        .route("/other", answers(StatusCode::OK, "not a key"));
    let keys = format!("http://{}/", auth_tests::serve(server).await);
    for (kid, start) in [
        ("down", "the key of a load balancer could not be fetched: "),
        ("other", "the key other of a load balancer cannot be used: "),
    ] {
        // After a failure, no key is fetched for some seconds.
        let jwt = Jwt::builder()
            .issuer(auth_tests::ISSUER)
            .audience(auth_tests::AUDIENCE)
            .load_balancer(ARN)
            .load_balancer_keys(&keys)
            .build();
        let bearer = Bearer::jwt(jwt.expect("a verifier"));
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        let app = reads(space.build().expect("a space"));
        let header = json!({
            "alg": "ES256", "kid": kid, "signer": ARN, "iss": auth_tests::ISSUER,
            "client": auth_tests::AUDIENCE, "exp": 4_000_000_000_u32,
        });
        let parts = [
            header.to_string(),
            json!({ "sub": "ann" }).to_string(),
            "x".repeat(64),
        ];
        let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let (status, _) = send(&app, "/read", From::Lines(vec![format!("Bearer {token}")])).await;
        assert_eq!(status, 503);
        let events = events("::load_balancer");
        let [event] = &events[..] else {
            panic!("{events:?}");
        };
        let message = event[1]["message"].as_str().expect("a message");
        assert!(message.starts_with(start), "{message}");
        assert_eq!(event[1]["url"], keys);
    }
}

fn certificates() -> MutualTls {
    let proxies = ["10.0.0.7/32".parse().expect("a network")];
    let source = CertificateSource::client_cert(proxies).expect("a proxy");
    MutualTls::new(source, async |_| Caller::known(Identity::new("device")))
}

fn users_of_a_proxy() -> ProxyIdentity {
    let proxies = ["10.0.0.7/32".parse().expect("a network")];
    ProxyIdentity::builder(proxies).build().expect("a scheme")
}

/// The field of a proxy counts as none if it comes from another peer, or if the server does not provide the
/// address of the peer, which is a mistake of the service.
#[tokio::test]
async fn ignored_fields_of_proxies_are_reported() {
    listen();
    let space = || ProtectionSpace::builder().realm("api");
    for (name, value, space) in [
        ("client-cert", ":AQID:", space().scheme(certificates())),
        ("remote-user", "ann", space().scheme(users_of_a_proxy())),
    ] {
        let app = reads(space.build().expect("a space"));
        let other = format!(
            "the field `{name}` from 10.0.0.8 is ignored: that is not the address of a proxy"
        );
        let unknown = format!(
            "the field `{name}` comes from a proxy, and the server does not provide the address of the \
             peer: serve with `into_make_service_with_connect_info::<SocketAddr>()`"
        );
        for (peer, status, expected) in [
            (Some("10.0.0.7:1"), 403, None),
            (Some("10.0.0.8:1"), 401, Some(("DEBUG", other))),
            (None, 401, Some(("ERROR", unknown))),
        ] {
            let mut request = Request::get("/read").header(name, value);
            if let Some(peer) = peer {
                request = request.extension(peer.parse::<SocketAddr>().expect("an address"));
            }
            let request = request.body(Body::empty()).expect("a request");
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), status, "{name} {peer:?}");
            let mut lines = lines();
            lines.retain(|line| line["target"] == "auth_runtime_schemes::field");
            let seen = lines.iter().map(|line| {
                let message = line["fields"]["message"].as_str();
                (
                    line["level"].as_str().unwrap_or_default(),
                    message.unwrap_or_default().to_owned(),
                )
            });
            assert_eq!(
                seen.collect::<Vec<_>>(),
                Vec::from_iter(expected),
                "{name} {peer:?}"
            );
        }
    }
}

#[tokio::test]
async fn sessions_of_another_cookie_are_reported() {
    listen();
    let sessions = Sessions::builder().cookie("session").build();
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(sessions.expect("sessions"))
        .build();
    let app = reads(space.expect("a space"));
    let (own, other) = (Id(1), Id(2));
    for (cookie, taken, is_reported) in [
        (own.to_string(), Some(own), false),
        (own.to_string(), Some(other), true),
        (own.to_string(), None, false),
        // The session layer may seal its cookie.
        ("sealed".to_owned(), Some(own), false),
        (format!("sealed; other={own}"), Some(own), true),
    ] {
        let session = Session::new(taken, Arc::new(MemoryStore::default()), None);
        let request = Request::get("/read")
            .header("cookie", format!("session={cookie}"))
            .extension(session)
            .body(Body::empty());
        let request = request.expect("a request");
        app.clone().oneshot(request).await.expect("infallible");
        let messages = messages("::sessions::tower_sessions");
        let expected = "the session of a request is not that of its cookie: of several session \
                        layers, that of the cookie has to be the innermost";
        let expected = is_reported.then_some(expected);
        assert_eq!(messages, Vec::from_iter(expected), "{cookie} {taken:?}");
    }
}

#[test]
fn too_many_keys_are_reported() {
    listen();
    for (found, expected) in [(256, None), (257, Some((257, 256)))] {
        let document = json!({ "keys": vec![7; found] });
        let jwt = Jwt::builder()
            .issuer("i")
            .audience("a")
            .jwks(&document.to_string());
        assert_eq!(jwt.build().expect_err("no key"), JwtError::NoKey);
        let mut lines = lines();
        lines.retain(|line| line["fields"]["message"] == "the JWKS document has too many keys");
        let fields = lines.iter().map(|line| {
            let fields = &line["fields"];
            (fields["found"].as_u64(), fields["used"].as_u64())
        });
        let expected = expected.map(|(found, used)| (Some(found), Some(used)));
        assert_eq!(fields.collect::<Vec<_>>(), Vec::from_iter(expected));
    }
}

#[test]
fn unused_keys_have_a_reason() {
    listen();
    let document = json!({ "keys": [
        7,
        { "kty": "oct", "k": "AQ" },
        { "kty": "EC", "crv": "P-521", "x": "AQ", "y": "AQ" },
        { "kty": "a kind of the future" },
        { "kty": "RSA", "use": "enc", "n": "AQ", "e": "AQ" },
        { "kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ" },
        { "kty": "RSA", "n": "AQAB", "e": "AQAB" },
    ] });
    let jwt = Jwt::builder()
        .issuer("i")
        .audience("a")
        .jwks(&document.to_string());
    assert_eq!(jwt.build().expect_err("no key"), JwtError::NoKey);
    let mut lines = lines();
    lines.retain(|line| line["target"] == "auth_runtime_schemes::jwt::key");
    let fields = lines.iter().map(|line| {
        let fields = &line["fields"];
        (
            fields["index"].as_u64(),
            fields["reason"].as_str().unwrap_or_default(),
        )
    });
    let expected = [
        (Some(0), "not a JSON Web Key"),
        (Some(1), "a secret, which no public document has"),
        (Some(2), "of an unknown kind or curve"),
        (Some(3), "of an unknown kind or curve"),
        (
            Some(4),
            "not for verifying signatures of an accepted algorithm",
        ),
        (Some(5), "not a valid key"),
        (
            Some(6),
            "not of the curve or the length that its algorithm requires",
        ),
    ];
    assert_eq!(fields.collect::<Vec<_>>(), expected);
}
