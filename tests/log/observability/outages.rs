//! Outages of other servers, which are logged once, and the reasons for ignoring input.

use std::net::SocketAddr;
use std::time::Duration;

use auth_runtime::schemes::{
    Bearer, CertificateSource, Introspection, Jwt, JwtError, MutualTls, ProxyIdentity, Redis,
    RedisError, Sessions, SharedTokenCache,
};
use auth_tests::ports::free_port;
use axum::Json;
use tower_sessions::session::Id;
use tower_sessions::{MemoryStore, Session};

use super::*;

/// The messages of a module in the log of this thread.
fn messages(module: &str) -> Vec<String> {
    let mut lines = lines();
    lines.retain(|line| {
        line["target"]
            .as_str()
            .is_some_and(|own| own.ends_with(module))
    });
    let messages = lines.iter().map(|line| line["fields"]["message"].as_str());
    messages
        .map(|message| message.unwrap_or_default().to_owned())
        .collect()
}

fn reads(space: ProtectionSpace) -> ProtectedRouter {
    let routes = GuardedRouter::new().route("/read", get(read));
    routes.protect(space).expect("the routes are in order")
}

#[tokio::test]
async fn introspection_logs_begin_and_end_of_an_outage() {
    listen();
    let endpoint = Arc::new(Mutex::new(StatusCode::OK));
    let status = Arc::clone(&endpoint);
    let answer = move || {
        let status = *status.lock().expect("no panic");
        async move { (status, Json(json!({ "active": false }))) }
    };
    let server = axum::Router::new().route("/introspect", axum::routing::post(answer));
    let address = auth_tests::serve(server).await;
    let introspection = Introspection::builder()
        .endpoint(format!("http://{address}/introspect"))
        .client_secret("api", "secret")
        .any_audience();
    let bearer = Bearer::introspection(introspection.build().expect("an endpoint"));
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(bearer)
        .build();
    let app = reads(space.expect("a space"));
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
        let messages = messages("::introspection");
        let seen: Vec<_> = messages.iter().map(String::as_str).collect();
        match (seen.as_slice(), expected) {
            ([], None) => {}
            ([message], Some(start)) => assert!(message.starts_with(start), "{message}"),
            (seen, expected) => panic!("{seen:?} in place of {expected:?}"),
        }
    }
}

#[tokio::test]
async fn redis_logs_an_outage_once() {
    listen();
    // A port without a server.
    let redis = Redis::builder(format!("redis://127.0.0.1:{}/", free_port())).build();
    let cache = SharedTokenCache::new(redis.expect("a URL"), [7; 32], Duration::from_secs(60));
    for expected in [1, 0] {
        assert_eq!(cache.forget("token").await, Err(RedisError::NoAnswer));
        let messages = messages("::redis");
        assert_eq!(messages.len(), expected, "{messages:?}");
        assert!(
            messages
                .iter()
                .all(|one| one.starts_with("Redis does not respond: "))
        );
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
fn keys_that_are_not_used_have_a_reason() {
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
