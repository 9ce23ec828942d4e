//! Certificates as credentials, over TLS and behind proxies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::schemes::{MutualTls, Sessions, TrustedOrigins};
use auth_runtime::{public, requires};
use auth_runtime_audit::internal_openapi;
use auth_tests::App;
use http::Method;
use utoipa::openapi::{InfoBuilder, OpenApi, Paths};

use super::proxies::{PROXY, escaped_pem, networks};
use super::*;

#[requires(authenticated)]
async fn subject(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "admin", hide_as = 404)]
async fn hidden() {}

#[public(reason = "for all", identity = optional)]
async fn optional(guard: Guard) -> String {
    let subject = guard.identity().map(Identity::subject);
    subject.unwrap_or("nobody").to_owned()
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/subject", get(subject).post(subject))
        .route("/bound", get(bound))
        .route("/hidden", get(hidden))
        .route("/optional", get(optional))
}

/// Knows the own certificate. That of another client is unknown.
fn devices(source: CertificateSource, clients: &Clients) -> MutualTls {
    let own = thumbprint(&clients.own);
    MutualTls::new(source, move |certificate| {
        let is_own = certificate.thumbprint() == own;
        async move {
            match is_own {
                true => Caller::known(Identity::new("device")),
                false => Caller::rejected(),
            }
        }
    })
}

const CERTIFICATE: &str = "MutualTLS realm=\"api\"";

/// Sends a request over TLS; returns the status, and the body or the challenges.
async fn exchange(
    address: SocketAddr,
    clients: &Clients,
    shown: Option<&Certified>,
    target: &str,
    fields: &str,
) -> (u16, String) {
    let request =
        format!("GET {target} HTTP/1.1\r\nhost: api.example\r\nconnection: close\r\n{fields}\r\n");
    let answer = tls::send_raw(address, &clients.authority, shown, request).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    let challenges = head.lines();
    let challenges = challenges.filter_map(|line| line.strip_prefix("www-authenticate: "));
    let challenges: Vec<_> = challenges.collect();
    match status.expect("a status") {
        200 => (200, body.to_owned()),
        status => (status, challenges.join(" | ")),
    }
}

#[tokio::test]
async fn certificates_identify_callers() {
    let clients = Clients::new();
    let devices = devices(CertificateSource::connection(), &clients);
    let app = routes().protect(space(devices)).expect("routes");
    let address = tls::serve(app, &clients.authority).await;
    for (shown, target, status, expected) in [
        (Some(&clients.own), "/subject", 200, "device"),
        (Some(&clients.own), "/bound", 200, ""),
        (Some(&clients.own), "/optional", 200, "device"),
        (Some(&clients.own), "/hidden", 404, ""),
        (Some(&clients.other), "/subject", 401, CERTIFICATE),
        (Some(&clients.other), "/optional", 200, "nobody"),
        // The same as on an unknown path.
        (Some(&clients.other), "/hidden", 401, CERTIFICATE),
        (Some(&clients.other), "/nowhere", 401, CERTIFICATE),
        (None, "/subject", 401, CERTIFICATE),
        (None, "/optional", 200, "nobody"),
        (None, "/hidden", 404, ""),
    ] {
        let seen = exchange(address, &clients, shown, target, "").await;
        assert_eq!(seen, (status, expected.to_owned()), "{target}");
    }
    // A field of the client is no certificate.
    let field = format!("client-cert: :{}:\r\n", STANDARD.encode(clients.own.der()));
    let forged = exchange(address, &clients, None, "/subject", &field).await;
    assert_eq!(forged.0, 401);
}

/// The certificate is in each request of the connection, so a token beside it is not ambiguous.
#[tokio::test]
async fn explicit_credentials_count_alone() {
    let clients = Clients::new();
    let sessions = Sessions::look_up(async |value| match value.as_str() {
        "visitor" => Caller::Anonymous,
        "ended" => Caller::rejected(),
        "down" => Caller::unverifiable(),
        user => Caller::known(Identity::new(user)),
    });
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(rsa_verifier()))
        .scheme(sessions.cookie("login").build().expect("sessions"))
        .scheme(devices(CertificateSource::connection(), &clients))
        .build();
    let app = routes().protect(space.expect("a space")).expect("routes");
    let address = tls::serve(app, &clients.authority).await;
    let token = format!(
        "authorization: Bearer {}\r\n",
        rs256(json!({ "sub": "ann" }))
    );
    let forged = "authorization: Bearer forged\r\n".to_owned();
    let cookie = |value: &str| format!("cookie: login={value}\r\n");
    let (own, other) = (Some(&clients.own), Some(&clients.other));
    for (name, shown, fields, status, expected) in [
        ("a token", own, token.clone(), 200, "ann"),
        (
            "a token beside an unknown certificate",
            other,
            token.clone(),
            200,
            "ann",
        ),
        ("a bad token", own, forged.clone(), 401, ""),
        ("a session", own, cookie("bob"), 200, "bob"),
        (
            "a session beside an unknown certificate",
            other,
            cookie("bob"),
            200,
            "bob",
        ),
        ("an ended session", own, cookie("ended"), 200, "device"),
        (
            "a session without a login",
            own,
            cookie("visitor"),
            200,
            "device",
        ),
        (
            "a session without a login alone",
            None,
            cookie("visitor"),
            401,
            "",
        ),
        ("an outage", own, cookie("down"), 503, ""),
        ("two tokens", own, format!("{token}{token}"), 400, ""),
        ("two sessions", own, cookie("bob; login=ann"), 400, ""),
        (
            "a token and a session",
            own,
            format!("{token}{}", cookie("bob")),
            200,
            "ann",
        ),
        ("the certificate alone", own, String::new(), 200, "device"),
    ] {
        let seen = exchange(address, &clients, shown, "/subject", &fields).await;
        assert_eq!(seen.0, status, "{name}: {seen:?}");
        if status == 200 {
            assert_eq!(seen.1, expected, "{name}");
        }
        // A hidden path verifies all of them, and responds like an unknown one.
        let hidden = exchange(address, &clients, shown, "/hidden", &fields).await;
        let unknown = exchange(address, &clients, shown, "/nowhere", &fields).await;
        assert_eq!(hidden, unknown, "{name}");
    }
    // A token without a binding can be replaced by the certificate.
    let unbound = exchange(address, &clients, own, "/bound", &token).await;
    assert_eq!(unbound, (401, CERTIFICATE.to_owned()));
}

/// A browser chooses the certificate for requests that other sites cause, as it does with cookies.
#[tokio::test]
async fn other_sites_cannot_act_with_certificate() {
    let clients = Clients::new();
    let own = devices(CertificateSource::connection(), &clients);
    let trusting = devices(CertificateSource::connection(), &clients);
    let trusted = TrustedOrigins::default().trust("https://app.example");
    let trusting = trusting.trusted_origins(trusted.expect("an origin"));
    for (scheme, expected) in [(own, 401), (trusting, 200)] {
        let app = routes().protect(space(scheme)).expect("routes");
        for (method, origin, status) in [
            (Method::GET, "https://evil.example", 200),
            (Method::POST, "https://evil.example", 401),
            (Method::POST, "https://app.example", expected),
            (Method::POST, "https://api.example", 200),
        ] {
            let mut request = Request::new(Body::empty());
            *request.method_mut() = method.clone();
            *request.uri_mut() = "/subject".parse().expect("a target");
            let certificate = PeerCertificate::new(clients.own.der());
            request.extensions_mut().insert(certificate);
            let headers = request.headers_mut();
            headers.insert("host", HeaderValue::from_static("api.example"));
            headers.insert("origin", HeaderValue::from_static(origin));
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), status, "{method} {origin}");
        }
    }
}

/// Sends lines from this address.
pub(super) async fn status_from(
    app: &impl App,
    address: &str,
    lines: &[(&'static str, String)],
) -> u16 {
    let mut request = Request::get("/subject")
        .body(Body::empty())
        .expect("a request");
    let address: SocketAddr = address.parse().expect("an address");
    request.extensions_mut().insert(address);
    for (name, value) in lines {
        let value = HeaderValue::try_from(value).expect("a field value");
        request.headers_mut().append(*name, value);
    }
    let response = app.clone().oneshot(request).await.expect("infallible");
    response.status().as_u16()
}

#[tokio::test]
async fn proxies_send_certificates() {
    let clients = Clients::new();
    let proxies = || networks(&["10.0.0.7/32"]);
    let byte_sequence = |of: &Certified| format!(":{}:", STANDARD.encode(of.der()));
    for (source, name, own, other) in [
        (
            CertificateSource::client_cert(proxies()),
            "client-cert",
            byte_sequence(&clients.own),
            byte_sequence(&clients.other),
        ),
        (
            CertificateSource::ssl_client_cert(proxies()),
            "ssl-client-cert",
            escaped_pem(&clients.own),
            escaped_pem(&clients.other),
        ),
    ] {
        let scheme = devices(source.expect("a proxy"), &clients);
        let bearer = Bearer::jwt(rsa_verifier());
        let space = ProtectionSpace::builder()
            .realm("api")
            .scheme(bearer)
            .scheme(scheme);
        let space = space.build().expect("a space");
        let app = routes().protect(space).expect("routes");
        let token = format!("Bearer {}", rs256(json!({ "sub": "ann" })));
        for (case, address, values, status) in [
            ("the own one", PROXY, vec![own.clone()], 200),
            ("another", PROXY, vec![other.clone()], 401),
            ("none", PROXY, vec![], 401),
            ("twice", PROXY, vec![own.clone(), own.clone()], 401),
            ("unreadable", PROXY, vec!["x".to_owned()], 401),
            ("from another address", "10.0.0.8:1", vec![own.clone()], 401),
        ] {
            let lines: Vec<_> = values.into_iter().map(|value| (name, value)).collect();
            assert_eq!(
                status_from(&app, address, &lines).await,
                status,
                "{name}: {case}"
            );
            let with_token = [lines, vec![("authorization", token.clone())]].concat();
            assert_eq!(
                status_from(&app, address, &with_token).await,
                200,
                "{name}: {case}, a token"
            );
        }
    }
}

/// A shared cache must not give the response for one client to another.
#[tokio::test]
async fn responses_vary_by_field_of_proxy() {
    let clients = Clients::new();
    let proxied = CertificateSource::client_cert(networks(&["10.0.0.7/32"]));
    for (source, vary) in [
        (proxied.expect("a proxy"), Some("client-cert")),
        (CertificateSource::connection(), None),
    ] {
        let app = routes().protect(space(devices(source, &clients)));
        let request = Request::get("/optional").body(Body::empty());
        let response = app.expect("routes").oneshot(request.expect("a request"));
        let response = response.await.expect("infallible");
        let seen = response.headers().get("vary");
        assert_eq!(seen.map(HeaderValue::as_bytes), vary.map(str::as_bytes));
    }
}

#[test]
fn certificates_have_names() {
    let authority = Authority::new();
    let workload = "spiffe://shop.example/ns/orders/sa/api";
    let one = PeerCertificate::new(authority.certify_uris(&[workload]).der());
    assert_eq!(one.uris(), [workload]);
    assert_eq!(one.spiffe_id("shop.example").as_deref(), Some(workload));
    assert_eq!(one.spiffe_id("other.example"), None);
    assert!(one.dns_names().is_empty() && one.forwarded_subject().is_none());
    let two = authority.certify_uris(&[workload, "https://shop.example/"]);
    let two = PeerCertificate::new(two.der());
    assert_eq!(two.uris().len(), 2);
    assert_eq!(two.spiffe_id("shop.example"), None);
    let host = authority.certify("client.example");
    let named = PeerCertificate::new(host.der());
    assert_eq!(named.dns_names(), ["client.example"]);
    assert_eq!(named.der(), Some(host.der()));
    let broken = PeerCertificate::new(b"no certificate");
    assert!(broken.uris().is_empty() && broken.dns_names().is_empty());
    assert!(!format!("{named:?}").contains("client.example"));
}

/// The look-up begins only for certificates that decide the request.
#[tokio::test]
async fn ignored_certificates_are_not_looked_up() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let scheme = MutualTls::new(CertificateSource::connection(), move |_| {
        let counted = Arc::clone(&counted);
        async move {
            counted.fetch_add(1, Ordering::Relaxed);
            Caller::known(Identity::new("device"))
        }
    });
    let space = ProtectionSpace::builder().realm("api");
    let space = space.scheme(Bearer::jwt(rsa_verifier())).scheme(scheme);
    let app = routes()
        .protect(space.build().expect("a space"))
        .expect("routes");
    let send = async |token: Option<String>| {
        let mut request = Request::get("/optional")
            .body(Body::empty())
            .expect("a request");
        request
            .extensions_mut()
            .insert(PeerCertificate::new(b"any"));
        if let Some(token) = token {
            let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a token");
            request.headers_mut().insert("authorization", value);
        }
        let response = app.clone().oneshot(request).await.expect("infallible");
        text(response).await
    };
    assert_eq!(send(None).await, "device");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(send(Some(rs256(json!({ "sub": "ann" })))).await, "ann");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn documents_name_the_certificate() {
    let clients = Clients::new();
    let space = space(devices(CertificateSource::connection(), &clients));
    let empty = OpenApi::new(InfoBuilder::new().build(), Paths::new());
    let document = internal_openapi(&routes().access_table(), &space, empty).expect("a document");
    let document = serde_json::to_value(document).expect("JSON");
    let security = &document["paths"]["/subject"]["get"]["security"];
    assert_eq!(*security, json!([{ "MutualTLS": [] }]));
    let scheme = &document["components"]["securitySchemes"]["MutualTLS"];
    assert_eq!(scheme["type"], "mutualTLS");
}
