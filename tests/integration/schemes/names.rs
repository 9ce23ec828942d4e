//! Two schemes of one kind in a space, under names of the service.

use std::net::SocketAddr;

use auth_runtime::ProtectionSpaceBuilder;
use auth_runtime::policy::IpNet;
use auth_runtime::schemes::{CertificateSource, MutualTls, ProxyIdentity, Sessions};

use crate::schemes::*;

#[requires(authenticated, schemes("Second"))]
async fn second(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

const PEER: &str = "10.0.0.7:4711";

fn proxies() -> [IpNet; 1] {
    ["10.0.0.7/32".parse().expect("a network")]
}

fn sessions(cookie: &str, name: &'static str) -> Sessions {
    let sessions = Sessions::look_up(async |user| Some(Identity::new(user)));
    let sessions = sessions.cookie(cookie).scheme_name(name);
    sessions.build().expect("the sessions are in order")
}

fn devices(source: CertificateSource, name: &'static str) -> MutualTls {
    let devices = MutualTls::new(source, async |certificate| {
        let names = ["first", "second"];
        let name = names
            .into_iter()
            .find(|name| certificate.der() == Some(name.as_bytes()));
        name.map(Identity::new)
    });
    devices.scheme_name(name)
}

fn users(field: &str, name: &'static str) -> ProxyIdentity {
    let users = ProxyIdentity::builder(proxies()).user_field(field);
    let users = users.scheme_name(name).build();
    users.expect("the scheme is in order")
}

/// A field of a request.
type Field = (&'static str, String);

fn certificate(text: &str) -> String {
    format!(":{}:", STANDARD.encode(text))
}

#[tokio::test]
async fn schemes_of_kind_have_different_names() {
    let builder = || ProtectionSpace::builder().realm("api");
    let source = CertificateSource::client_cert(proxies());
    let leaf = CertificateSource::x_amzn_mtls_clientcert_leaf(proxies());
    let (source, leaf) = (source.expect("a proxy"), leaf.expect("a proxy"));
    let pem = format!(
        "-----BEGIN%20CERTIFICATE-----%0A{}%0A-----END%20CERTIFICATE-----",
        STANDARD.encode("second")
    );
    let rows: [(&str, ProtectionSpaceBuilder, Field, Field); 3] = [
        (
            "sessions",
            builder()
                .scheme(sessions("shop", "First"))
                .scheme(sessions("staff", "Second")),
            ("cookie", "shop=first".to_owned()),
            ("cookie", "staff=second".to_owned()),
        ),
        (
            "certificates",
            builder()
                .scheme(devices(source, "First"))
                .scheme(devices(leaf, "Second")),
            ("client-cert", certificate("first")),
            ("x-amzn-mtls-clientcert-leaf", pem),
        ),
        (
            "proxies",
            builder()
                .scheme(users("remote-user", "First"))
                .scheme(users("tailscale-user-login", "Second")),
            ("remote-user", "first".to_owned()),
            ("tailscale-user-login", "second".to_owned()),
        ),
    ];
    for (kind, space, of_first, of_second) in rows {
        let app = GuardedRouter::new()
            .route("/known", get(known))
            .route("/second", get(second))
            .protect(space.build().expect("two names"))
            .expect("the routes are in order");
        for (target, credentials, status) in [
            ("/known", Some(&of_first), 200),
            ("/known", Some(&of_second), 200),
            ("/second", Some(&of_first), 401),
            ("/second", Some(&of_second), 200),
            ("/known", None, 401),
        ] {
            let mut request = Request::get(target);
            if let Some((field, value)) = credentials {
                request = request.header(*field, value);
            }
            let peer: SocketAddr = PEER.parse().expect("an address");
            let request = request.extension(peer).body(Body::empty());
            let response = app.clone().oneshot(request.expect("a request")).await;
            let response = response.expect("infallible");
            assert_eq!(response.status(), status, "{kind} {target}");
            if status == 401 {
                let all = ["First realm=\"api\"", "Second realm=\"api\""];
                let expected = if target == "/known" {
                    &all[..]
                } else {
                    &all[1..]
                };
                assert_eq!(challenges(&response), expected, "{kind} {target}");
            } else if target == "/second" {
                assert_eq!(text(response).await, "second", "{kind}");
            }
        }
    }
}

#[tokio::test]
async fn live_logins_are_ambiguous_unless_named() {
    let space = ProtectionSpace::builder().realm("api");
    let space = space
        .scheme(sessions("shop", "First"))
        .scheme(sessions("staff", "Second"));
    let app = GuardedRouter::new()
        .route("/known", get(known))
        .route("/second", get(second))
        .protect(space.build().expect("two names"))
        .expect("the routes are in order");
    for (target, status) in [("/known", 400), ("/second", 200)] {
        let request = Request::get(target).header("cookie", "shop=first; staff=second");
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{target}");
    }
}
