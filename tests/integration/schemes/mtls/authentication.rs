//! The callers of certificates: anonymous, rejected, known and unverifiable ones.

use auth_runtime::ClientAddress;
use auth_runtime::schemes::{MutualTls, Sessions};
use auth_tests::App;
use http::Method;

use super::proxies::{PROXY, networks};
use super::*;

/// A device that is known, one that is unknown, and one of which the directory is not available.
fn devices(source: CertificateSource) -> ProtectedRouter {
    let scheme = scheme(source);
    routes().protect(space(scheme)).expect("routes")
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/known", get(known).post(known))
        .route("/bound", get(bound))
}

fn scheme(source: CertificateSource) -> MutualTls {
    let names = ["known", "down"].map(|name| PeerCertificate::new(name).thumbprint().to_owned());
    MutualTls::new(source, move |certificate| {
        let place = names.iter().position(|own| own == certificate.thumbprint());
        async move {
            match place {
                Some(0) => Caller::known(Identity::new("device")),
                Some(_) => Caller::unverifiable(),
                None => Caller::rejected(),
            }
        }
    })
}

fn proxied() -> CertificateSource {
    let source = CertificateSource::client_cert(networks(&["10.0.0.7/32"]));
    source.expect("a proxy")
}

fn field_of(name: &str) -> String {
    format!(":{}:", STANDARD.encode(name))
}

fn request(method: Method, target: &str, peer: &str, lines: &[(&str, &str)]) -> Request {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    let peer: SocketAddr = peer.parse().expect("an address");
    request.extensions_mut().insert(peer);
    request
}

async fn status(app: &impl App, request: Request) -> u16 {
    let response = app.clone().oneshot(request).await.expect("infallible");
    response.status().as_u16()
}

/// On an unknown path, an anonymous caller receives 404, and a rejected one 401.
#[tokio::test]
async fn every_certificate_has_its_outcome() {
    let app = devices(proxied());
    let [known, other, down] = ["known", "other", "down"].map(field_of);
    let unreadable = ":no base64*:".to_owned();
    let empty = String::new();
    for (name, peer, values, on_known, on_unknown) in [
        ("none", PROXY, vec![], 401, 404),
        ("known", PROXY, vec![&known], 200, 404),
        ("unknown", PROXY, vec![&other], 401, 401),
        ("an outage", PROXY, vec![&down], 503, 503),
        ("unreadable", PROXY, vec![&unreadable], 401, 401),
        ("empty", PROXY, vec![&empty], 401, 401),
        ("twice", PROXY, vec![&known, &known], 401, 401),
        ("of another peer", "10.0.0.8:1", vec![&known], 401, 404),
        (
            "unreadable, of another peer",
            "10.0.0.8:1",
            vec![&unreadable],
            401,
            404,
        ),
        (
            "twice, of another peer",
            "10.0.0.8:1",
            vec![&known, &known],
            401,
            404,
        ),
    ] {
        let lines: Vec<_> = values
            .iter()
            .map(|value| ("client-cert", value.as_str()))
            .collect();
        let seen = ["/known", "/nowhere"].map(|target| request(Method::GET, target, peer, &lines));
        let [seen_on_known, seen_on_unknown] = seen.map(|request| status(&app, request));
        assert_eq!(seen_on_known.await, on_known, "{name}");
        assert_eq!(seen_on_unknown.await, on_unknown, "{name}");
    }
}

#[tokio::test]
async fn outage_of_directory_is_503() {
    let app = devices(CertificateSource::connection());
    for (name, expected) in [("known", 200), ("other", 401), ("down", 503)] {
        let mut request = request(Method::GET, "/known", "192.0.2.1:1", &[]);
        request.extensions_mut().insert(PeerCertificate::new(name));
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), expected, "{name}");
        let fields = response.headers();
        assert_eq!(fields.contains_key("retry-after"), expected == 503);
        // A shared cache would store the response to one client for another.
        assert!(expected != 200 || fields["cache-control"] == "private");
    }
}

/// A browser chooses the certificate for the connection to the proxy, too.
#[tokio::test]
async fn proxies_describe_certificates_of_connections() {
    let app = devices(proxied());
    let field = field_of("known");
    let bound = request(Method::GET, "/bound", PROXY, &[("client-cert", &field)]);
    assert_eq!(status(&app, bound).await, 200);
    for (origin, expected) in [("https://api.example", 200), ("https://evil.example", 401)] {
        let lines = [
            ("client-cert", field.as_str()),
            ("host", "api.example"),
            ("origin", origin),
        ];
        let posted = request(Method::POST, "/known", PROXY, &lines);
        assert_eq!(status(&app, posted).await, expected, "{origin}");
        // Another site can read the messages of a WebSocket.
        let lines = [&lines[..], &[("upgrade", "websocket")]].concat();
        let handshake = request(Method::GET, "/known", PROXY, &lines);
        assert_eq!(status(&app, handshake).await, expected, "{origin}");
        // Without a certificate, there is nothing to misuse.
        for (peer, fields) in [(PROXY, &lines[1..]), ("10.0.0.8:1", &lines[..])] {
            let posted = request(Method::POST, "/nowhere", peer, fields);
            assert_eq!(status(&app, posted).await, 404, "{origin} {peer}");
        }
    }
}

/// A session counts alone, also while the directory of devices is not available. A dead one is removed.
#[tokio::test]
async fn sessions_precede_certificates() {
    let sessions = Sessions::look_up(async |value| match value.as_str() {
        "ann" => Caller::known(Identity::new("ann")),
        _ => Caller::rejected(),
    });
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(scheme(proxied()))
        .scheme(sessions.cookie("login").build().expect("sessions"));
    let app = routes()
        .protect(space.build().expect("a space"))
        .expect("routes");
    for (name, session, status, is_removed) in [
        ("known", "ann", 200, false),
        ("down", "ann", 200, false),
        ("other", "ann", 200, false),
        ("known", "ended", 200, false),
        ("down", "ended", 503, false),
        ("other", "ended", 401, true),
    ] {
        let (field, cookie) = (field_of(name), format!("login={session}"));
        let lines = [("client-cert", field.as_str()), ("cookie", &cookie)];
        let request = request(Method::GET, "/known", PROXY, &lines);
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{name} {session}");
        let removes = response.headers().contains_key("set-cookie");
        assert_eq!(removes, is_removed, "{name} {session}");
    }
}

/// The address of the socket counts, not that of the client behind other proxies.
#[tokio::test]
async fn the_peer_is_the_proxy() {
    let address = ClientAddress::x_forwarded_for(networks(&["192.0.2.7/32"]));
    let space = ProtectionSpace::builder()
        .realm("api")
        .client_address(address.expect("a proxy"))
        .scheme(scheme(proxied()));
    let app = routes()
        .protect(space.build().expect("a space"))
        .expect("routes");
    let field = field_of("known");
    let lines = [
        ("client-cert", field.as_str()),
        ("x-forwarded-for", "10.0.0.7"),
    ];
    for (peer, expected) in [("192.0.2.7:1", 401), (PROXY, 200)] {
        let request = request(Method::GET, "/known", peer, &lines);
        assert_eq!(status(&app, request).await, expected, "{peer}");
    }
}
