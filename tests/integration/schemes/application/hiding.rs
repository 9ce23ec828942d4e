//! Hidden and unknown paths with users, applications and client certificates in one space.

use std::net::SocketAddr;

use auth_runtime::UnknownPaths;
use auth_runtime::schemes::{CertificateSource, MutualTls};
use auth_runtime::testing::assert_hidden;

use super::*;

#[requires(role = "admin", hide_as = 404, schemes("MutualTLS"))]
async fn for_devices() {}

#[requires(role = "admin", hide_as = 404, schemes(Bearer))]
async fn for_users() {}

#[requires(role = "admin", hide_as = 404, hide_unless = scope("read"))]
async fn shown_to_readers() {}

fn app(unknown: UnknownPaths) -> ProtectedRouter {
    let proxy = ["10.0.0.7/32".parse().expect("a network")];
    let source = CertificateSource::x_forwarded_client_cert(proxy).expect("a proxy");
    let devices = MutualTls::new(source, async |_| Caller::known(Identity::new("device")));
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(tokens().with_application(Keys::default()))
        .scheme(devices)
        .unknown_paths(unknown)
        .build()
        .expect("a space");
    routes()
        .route("/hidden", get(hidden))
        .route("/devices", get(for_devices))
        .route("/users", get(for_users))
        .route("/readers", get(shown_to_readers))
        .protect(space)
        .expect("routes")
}

#[tokio::test]
async fn hidden_paths_are_unknown_for_credentials() {
    let long = "a".repeat(20 << 10);
    let hash = format!("Hash={}", "ab".repeat(32));
    let tokens: [&[&str]; 9] = [
        &[],
        &["Bearer ann"],
        &["Bearer expired"],
        &["Bearer down"],
        &["Bearer web"],
        &["Bearer"],
        &["Basic YTpi"],
        &["Bearer ann", "Bearer ann"],
        &["bearer  ann "],
    ];
    let keys: [&[&str]; 7] = [
        &[],
        &["web"],
        &["forged"],
        &["down"],
        &["web", "web"],
        &["\u{e9}"],
        &[&long],
    ];
    let certificates: [&[&str]; 5] = [
        &[],
        &[&hash],
        &["Hash=1"],
        &[&hash, &hash],
        &["Hash=1,", &hash],
    ];
    let mut compared = 0;
    for unknown in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let app = app(unknown);
        for (token, key, certificate, peer) in tokens.iter().flat_map(|token| {
            let pairs = keys.iter().flat_map(|key| {
                let pairs = certificates
                    .iter()
                    .map(move |certificate| (key, certificate));
                pairs.flat_map(|(key, certificate)| {
                    ["10.0.0.7:1", "192.0.2.1:1"].map(|peer| (key, certificate, peer))
                })
            });
            pairs.map(move |(key, certificate, peer)| (token, key, certificate, peer))
        }) {
            for target in [
                "/hidden",
                "/devices",
                "/users",
                "/readers",
                "/users?key=web",
            ] {
                let mut request = Request::get(target);
                for (name, lines) in [
                    ("authorization", token),
                    ("apikey", key),
                    ("x-forwarded-client-cert", certificate),
                ] {
                    for line in *lines {
                        request = request.header(name, line.as_bytes());
                    }
                }
                let mut request = request.body(Body::empty()).expect("a request");
                let peer: SocketAddr = peer.parse().expect("an address");
                request.extensions_mut().insert(peer);
                assert_hidden(app.clone(), request).await;
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2 * 9 * 7 * 5 * 2 * 5);
}

/// A layer behind the decision that changes the key changes the decision.
#[tokio::test]
async fn a_replaced_key_is_verified_anew() {
    #[requires(authenticated, hide_as = 404)]
    async fn concealed() {}

    for (name, expected) in [("x-other", 200), ("apikey", 404)] {
        let replace = axum::middleware::map_request(move |mut request: Request| {
            let value = HeaderValue::from_static("forged");
            request.headers_mut().insert(name, value);
            std::future::ready(request)
        });
        let app = GuardedRouter::new()
            .route("/", get(concealed).layer(replace))
            .protect(space(tokens().with_application(Keys::default())))
            .expect("routes");
        let fields = [bearer("ann"), lines(&[("apikey", "web")])].concat();
        let response = send(&app, "/", &fields).await;
        assert_eq!(response.status(), expected, "{name}");
    }
}
