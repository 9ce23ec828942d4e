//! Identities from a reverse proxy.

use std::net::SocketAddr;

use auth_runtime::schemes::{ProxyIdentity, ProxyIdentityError, TrustedProxiesError};

use super::*;

const CHALLENGE: &str = "Proxy realm=\"api\"";

fn scheme() -> ProxyIdentity {
    let proxy = ["10.0.0.7/32".parse().expect("a network")];
    let scheme = ProxyIdentity::builder(proxy).roles_field("Remote-Groups");
    scheme.build().expect("the scheme is in order")
}

async fn send_from(peer: &str, target: &str, lines: &[(&'static str, &[u8])]) -> Response {
    let mut request = Request::get(target).body(Body::empty()).expect("a request");
    let peer: SocketAddr = peer.parse().expect("an address");
    request.extensions_mut().insert(peer);
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value).expect("a field value");
        request.headers_mut().append(*name, value);
    }
    let response = app(space(scheme())).oneshot(request).await;
    response.expect("infallible")
}

const PROXY: &str = "10.0.0.7:4711";

#[tokio::test]
async fn fields_of_the_proxy_are_trusted() {
    for (name, lines, status) in [
        ("no login", &[][..], 401),
        ("a user", &[("remote-user", &b"ann"[..])], 403),
        (
            "a user with the role",
            &[("remote-user", b"ann"), ("remote-groups", b"dev, admin")],
            200,
        ),
        (
            "another group",
            &[("remote-user", b"ann"), ("remote-groups", b"admins,dev")],
            403,
        ),
        ("groups alone", &[("remote-groups", b"admin")], 401),
        (
            "two users",
            &[("remote-user", b"ann"), ("remote-user", b"bob")],
            400,
        ),
        (
            "two lines of groups",
            &[
                ("remote-user", b"ann"),
                ("remote-groups", b"dev"),
                ("remote-groups", b"admin"),
            ],
            401,
        ),
        ("no UTF-8", &[("remote-user", b"\xff")], 401),
        ("empty", &[("remote-user", b" ")], 401),
    ] {
        let response = send_from(PROXY, "/admin", lines).await;
        assert_eq!(response.status(), status, "{name}");
        let expected: &[&str] = if status == 401 { &[CHALLENGE] } else { &[] };
        assert_eq!(challenges(&response), expected, "{name}");
    }
}

#[tokio::test]
async fn names_are_utf_8() {
    let lines = [("remote-user", "Jürgen".as_bytes())];
    let response = send_from(PROXY, "/known", &lines).await;
    assert_eq!(response.status(), 200);
    assert!(text(response).await.contains("Jürgen"));
}

/// A client can send the fields as well.
#[tokio::test]
async fn fields_of_other_peers_count_as_none() {
    let lines = [("remote-user", &b"ann"[..]), ("remote-groups", b"admin")];
    for peer in ["10.0.0.8:4711", "127.0.0.1:1", "[::1]:1"] {
        let response = send_from(peer, "/admin", &lines).await;
        assert_eq!(response.status(), 401, "{peer}");
        assert_eq!(challenges(&response), [CHALLENGE], "{peer}");
    }
    let unknown = app(space(scheme()));
    let lines: Lines = vec![("remote-user", b"ann".to_vec())];
    assert_eq!(send(&unknown, "/known", &lines).await.status(), 401);
}

/// The field of another peer does not make a token ambiguous.
#[tokio::test]
async fn fields_of_other_peers_leave_other_credentials() {
    let known = Bearer::new(async |token: String| match token.as_str() {
        "ann" => Caller::known(Identity::new("ann")),
        _ => Caller::rejected(),
    });
    let space = ProtectionSpace::builder().realm("api").scheme(known);
    let app = app(space.scheme(scheme()).build().expect("in order"));
    for (peer, token, status) in [
        ("10.0.0.8:4711", "ann", 200),
        ("10.0.0.8:4711", "bad", 401),
        (PROXY, "ann", 400),
    ] {
        let request = Request::get("/known")
            .header("authorization", format!("Bearer {token}"))
            .header("remote-user", "bob")
            .extension(peer.parse::<SocketAddr>().expect("an address"))
            .body(Body::empty())
            .expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{peer} {token}");
    }
}

#[test]
fn invalid_settings_are_build_errors() {
    let proxy = || ["10.0.0.7/32".parse().expect("a network")];
    let none = ProxyIdentity::builder([]).build();
    let no_proxy = ProxyIdentityError::Proxies(TrustedProxiesError::NoProxy);
    assert_eq!(none.expect_err("no proxy"), no_proxy);
    for field in ["", "a b", "authorization", "cookie"] {
        let expected = ProxyIdentityError::Field(field.to_owned());
        let user = ProxyIdentity::builder(proxy()).user_field(field).build();
        assert_eq!(user.expect_err(field), expected);
        let roles = ProxyIdentity::builder(proxy()).roles_field(field).build();
        assert_eq!(roles.expect_err(field), expected);
    }
}
