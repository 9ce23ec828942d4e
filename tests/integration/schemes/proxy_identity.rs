//! Identities from a reverse proxy.

use std::net::SocketAddr;

use auth_runtime::routing::post;
use auth_runtime::schemes::{
    ProxyIdentity, ProxyIdentityError, TrustedOrigins, TrustedProxiesError,
};
use auth_runtime::{ClientAddress, public};

use super::*;

const CHALLENGE: &str = "Proxy realm=\"api\"";

fn scheme() -> ProxyIdentity {
    let proxy = ["10.0.0.7/32".parse().expect("a network")];
    let scheme = ProxyIdentity::builder(proxy).roles_field("Remote-Groups");
    scheme.build().expect("the scheme is in order")
}

async fn send_from(peer: &str, target: &str, lines: &[(&'static str, &[u8])]) -> Response {
    send_to(app(space(scheme())), peer, target, lines).await
}

async fn send_to(
    app: ProtectedRouter,
    peer: &str,
    target: &str,
    lines: &[(&'static str, &[u8])],
) -> Response {
    let mut request = Request::get(target).body(Body::empty()).expect("a request");
    let peer: SocketAddr = peer.parse().expect("an address");
    request.extensions_mut().insert(peer);
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value).expect("a field value");
        request.headers_mut().append(*name, value);
    }
    app.oneshot(request).await.expect("infallible")
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
        (
            "a group in UTF-8",
            &[
                ("remote-user", b"ann"),
                ("remote-groups", "größe,admin".as_bytes()),
            ],
            200,
        ),
        (
            "a group with a space",
            &[("remote-user", b"ann"), ("remote-groups", b"no admin")],
            403,
        ),
        (
            "a group with a semicolon",
            &[("remote-user", b"ann"), ("remote-groups", b"dev;admin")],
            403,
        ),
        (
            "no group",
            &[("remote-user", b"ann"), ("remote-groups", b"")],
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
        (
            "a group in another case",
            &[("remote-user", b"ann"), ("remote-groups", b"Admin")],
            403,
        ),
        (
            "a control character in the groups",
            &[("remote-user", b"ann"), ("remote-groups", b"dev\t,admin")],
            401,
        ),
        (
            "another one, in UTF-8",
            &[
                ("remote-user", b"ann"),
                ("remote-groups", "\u{85},admin".as_bytes()),
            ],
            401,
        ),
        ("no UTF-8", &[("remote-user", b"\xff")], 401),
        ("a control character", &[("remote-user", b"an\tn")], 401),
        (
            "another control character",
            &[("remote-user", "ann\u{9b}".as_bytes())],
            401,
        ),
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
    // Otherwise a shared cache would store it.
    assert_eq!(response.headers()["cache-control"], "private");
    assert!(text(response).await.contains("Jürgen"));
}

/// A proxy removes the configured fields from the requests of clients, and no others.
#[tokio::test]
async fn only_the_configured_fields_are_read() {
    let proxy = || ProxyIdentity::builder(["10.0.0.7/32".parse().expect("a network")]);
    let lines =
        |user: &'static str, groups: &'static str| [(user, &b"ann"[..]), (groups, &b"admin"[..])];
    let standard = lines("remote-user", "remote-groups");
    let forwarded = lines("x-forwarded-user", "x-forwarded-groups");
    let oauth2_proxy = || {
        let scheme = proxy().user_field("X-Forwarded-User");
        scheme.roles_field("X-Forwarded-Groups")
    };
    for (name, scheme, lines, status) in [
        ("no groups", proxy(), standard, 403),
        ("no field", proxy(), forwarded, 401),
        ("own fields", oauth2_proxy(), forwarded, 200),
        ("fields of another proxy", oauth2_proxy(), standard, 401),
    ] {
        let app = app(space(scheme.build().expect("a scheme")));
        let response = send_to(app, PROXY, "/admin", &lines).await;
        assert_eq!(response.status(), status, "{name}");
    }
}

/// The address of the socket counts, not that of the client behind other proxies.
#[tokio::test]
async fn the_peer_is_the_proxy() {
    let proxies = ["192.0.2.7/32".parse().expect("a network")];
    let address = ClientAddress::x_forwarded_for(proxies).expect("a proxy");
    let space = ProtectionSpace::builder().realm("api").scheme(scheme());
    let app = app(space.client_address(address).build().expect("a space"));
    let lines = [
        ("remote-user", &b"ann"[..]),
        ("x-forwarded-for", b"10.0.0.7"),
    ];
    for (peer, status) in [
        ("192.0.2.7:1", 401),
        (PROXY, 200),
        // The form of an IPv4 address on a dual-stack socket.
        ("[::ffff:10.0.0.7]:1", 200),
    ] {
        let response = send_to(app.clone(), peer, "/known", &lines).await;
        assert_eq!(response.status(), status, "{peer}");
    }
}

/// On an unknown path, an anonymous caller receives 404, and a rejected one 401.
#[tokio::test]
async fn unreadable_fields_are_rejected() {
    for (lines, of_proxy, of_other) in [
        (&[("remote-user", &b"ann"[..])][..], 404, 404),
        (&[("remote-groups", b"\xff")], 404, 404),
        (
            &[("remote-user", b"ann"), ("remote-groups", b"\xff")],
            401,
            404,
        ),
        (
            &[
                ("remote-user", b"ann"),
                ("remote-groups", b"dev"),
                ("remote-groups", b"admin"),
            ],
            401,
            404,
        ),
        // From every peer.
        (&[("remote-user", b"\xff")], 401, 401),
        (
            &[("remote-user", b"ann"), ("remote-user", b"bob")],
            400,
            400,
        ),
    ] {
        for (peer, status) in [(PROXY, of_proxy), ("10.0.0.8:4711", of_other)] {
            let response = send_from(peer, "/nowhere", lines).await;
            assert_eq!(response.status(), status, "{peer} {lines:?}");
        }
    }
}

#[public(reason = "for all", identity = optional)]
async fn optional(guard: Guard) -> String {
    let subject = guard.identity().map(Identity::subject);
    subject.unwrap_or("nobody").to_owned()
}

/// Proxies send these values for a visitor without a login.
const NO_USERS: [&str; 8] = [
    "",
    " ",
    "\u{a0}",
    "(null)",
    " (null) ",
    "{http.reverse_proxy.header.Remote-User}",
    "{http.auth.user.id}",
    "{http.",
];

#[tokio::test]
async fn unset_users_are_anonymous() {
    let app = GuardedRouter::new()
        .route("/known", get(known))
        .route("/optional", get(optional).post(optional))
        .protect(space(scheme()))
        .expect("the routes are in order");
    for user in NO_USERS {
        let lines = [
            ("remote-user", user.as_bytes()),
            ("remote-groups", b"admin"),
        ];
        for peer in [PROXY, "10.0.0.8:4711"] {
            for (target, status) in [("/known", 401), ("/nowhere", 404), ("/optional", 200)] {
                let response = send_to(app.clone(), peer, target, &lines).await;
                assert_eq!(response.status(), status, "{peer} {target} {user:?}");
                match target {
                    "/known" => assert_eq!(challenges(&response), [CHALLENGE], "{user:?}"),
                    "/optional" => assert_eq!(text(response).await, "nobody", "{user:?}"),
                    _ => {}
                }
            }
        }
        // Without a login there is nothing to misuse.
        let request = Request::post("/optional")
            .header("remote-user", user.as_bytes())
            .header("sec-fetch-site", "cross-site")
            .extension(PROXY.parse::<SocketAddr>().expect("an address"));
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 200, "{user:?}");
    }
    for user in ["null", "NULL", "(null", "null)", "{http", "{ann}", "-"] {
        let lines = [("remote-user", user.as_bytes())];
        let response = send_to(app.clone(), PROXY, "/optional", &lines).await;
        assert_eq!(text(response).await, user);
    }
}

#[tokio::test]
async fn unset_groups_are_no_roles() {
    #[requires(authenticated)]
    async fn roles(guard: Guard) -> String {
        let roles: Vec<_> = guard.identity().roles().collect();
        roles.join("+")
    }

    let app = GuardedRouter::new()
        .route("/roles", get(roles))
        .protect(space(scheme()))
        .expect("the routes are in order");
    let unset = NO_USERS.map(|groups| (groups, ""));
    for (groups, expected) in unset.into_iter().chain([("null,dev", "dev+null")]) {
        let lines = [
            ("remote-user", &b"ann"[..]),
            ("remote-groups", groups.as_bytes()),
        ];
        let response = send_to(app.clone(), PROXY, "/roles", &lines).await;
        assert_eq!(response.status(), 200, "{groups:?}");
        assert_eq!(text(response).await, expected, "{groups:?}");
    }
}

/// The login at the proxy is a cookie, which a browser also sends for pages of other origins.
#[tokio::test]
async fn foreign_pages_cannot_act_with_logins() {
    let proxy = ProxyIdentity::builder(["10.0.0.7/32".parse().expect("a network")]);
    let trusting = proxy
        .trust_origin("https://app.example")
        .trust_origin("https://admin.example")
        .build();
    let trusting = app(space(trusting.expect("the scheme is in order")));
    let user = ("remote-user", &b"ann"[..]);
    // A `GET` may change something, or disclose it to other origins, if it opens a WebSocket.
    let websocket = ("upgrade", &b"websocket"[..]);
    let cross_site = ("sec-fetch-site", &b"cross-site"[..]);
    for (lines, own, trusted) in [
        (&[user, cross_site][..], 200, 200),
        (&[user, websocket], 200, 200),
        (
            &[user, websocket, ("sec-fetch-site", b"same-origin")],
            200,
            200,
        ),
        (&[user, websocket, cross_site], 401, 401),
        (
            &[user, websocket, ("origin", b"https://evil.example")],
            401,
            401,
        ),
        (
            &[
                user,
                websocket,
                cross_site,
                ("origin", b"https://app.example"),
            ],
            401,
            200,
        ),
        (
            &[user, websocket, ("origin", b"https://admin.example")],
            401,
            200,
        ),
    ] {
        let response = send_from(PROXY, "/known", lines).await;
        assert_eq!(response.status(), own, "{lines:?}");
        let response = send_to(trusting.clone(), PROXY, "/known", lines).await;
        assert_eq!(response.status(), trusted, "{lines:?}");
        // Without a login there is nothing to misuse.
        let response = send_from("10.0.0.8:4711", "/nowhere", lines).await;
        assert_eq!(response.status(), 404, "{lines:?}");
        let lines: Vec<_> = lines.iter().copied().filter(|line| *line != user).collect();
        let response = send_from(PROXY, "/nowhere", &lines).await;
        assert_eq!(response.status(), 404, "{lines:?}");
    }
}

/// Authentik separates groups by `|`, and a group may have a comma.
#[tokio::test]
async fn roles_have_separator_of_proxy() {
    let proxy = || ["10.0.0.7/32".parse().expect("a network")];
    for (separator, groups, status) in [
        (None, "dev,admin", 200),
        (None, "dev|admin", 403),
        (Some('|'), "dev|admin", 200),
        (Some('|'), "admin", 200),
        (Some('|'), " dev | admin ", 200),
        (Some('|'), "dev,admin", 403),
        (Some('|'), "dev|no,admin", 403),
        (Some('|'), "dev\t|admin", 401),
        (Some(' '), "dev admin", 200),
        (Some('·'), "dev·admin", 200),
    ] {
        let scheme = ProxyIdentity::builder(proxy())
            .user_field("X-Authentik-Username")
            .roles_field("X-Authentik-Groups");
        let scheme = match separator {
            Some(separator) => scheme.roles_separator(separator),
            None => scheme,
        };
        let app = app(space(scheme.build().expect("the scheme is in order")));
        let lines = [
            ("x-authentik-username", &b"ann"[..]),
            ("x-authentik-groups", groups.as_bytes()),
        ];
        let response = send_to(app, PROXY, "/admin", &lines).await;
        assert_eq!(response.status(), status, "{separator:?} {groups}");
    }
}

/// The field is an explicit credential, so that an optional identity is no way around the rejection.
#[tokio::test]
async fn other_origins_cannot_change_anything() {
    #[requires(authenticated)]
    async fn change() {}

    let app = GuardedRouter::new()
        .route("/change", post(change).put(change))
        .route("/optional", post(optional).put(optional))
        .protect(space(scheme()))
        .expect("the routes are in order");
    for (site, expected) in [
        ("same-origin", 200),
        ("same-site", 401),
        ("cross-site", 401),
    ] {
        for target in ["/change", "/optional"] {
            for method in ["POST", "PUT"] {
                let request = Request::builder()
                    .method(method)
                    .uri(target)
                    .header("remote-user", "ann")
                    .header("sec-fetch-site", site)
                    .extension(PROXY.parse::<SocketAddr>().expect("an address"));
                let request = request.body(Body::empty()).expect("a request");
                let response = app.clone().oneshot(request).await.expect("infallible");
                assert_eq!(response.status(), expected, "{method} {target} {site}");
            }
        }
    }
}

/// A client can send the fields as well.
#[tokio::test]
async fn fields_of_other_peers_are_ignored() {
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

/// The field of another peer does not make a token ambiguous, nor does a field of the proxy without a user.
#[tokio::test]
async fn fields_without_user_leave_other_credentials() {
    let known = Bearer::new(async |token: String| match token.as_str() {
        "ann" => Caller::known(Identity::new("ann")),
        _ => Caller::rejected(),
    });
    let space = ProtectionSpace::builder().realm("api").scheme(known);
    let app = app(space.scheme(scheme()).build().expect("in order"));
    let other = "10.0.0.8:4711";
    let unset = NO_USERS.map(|user| (PROXY, user, "ann", 200));
    for (peer, user, token, status) in unset.into_iter().chain([
        (other, "bob", "ann", 200),
        (other, "bob", "bad", 401),
        (PROXY, "bob", "ann", 400),
        (PROXY, "", "bad", 401),
        (PROXY, "(null)", "bad", 401),
    ]) {
        let request = Request::get("/known")
            .header("authorization", format!("Bearer {token}"))
            .header("remote-user", user.as_bytes())
            .extension(peer.parse::<SocketAddr>().expect("an address"))
            .body(Body::empty())
            .expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{peer} {user:?} {token}");
    }
}

#[test]
fn invalid_settings_are_build_errors() {
    let proxy = || ["10.0.0.7/32".parse().expect("a network")];
    let none = ProxyIdentity::builder([]).build();
    let no_proxy = ProxyIdentityError::Proxies(TrustedProxiesError::NoProxy);
    assert_eq!(none.expect_err("no proxy"), no_proxy);
    let origin = "https://App.example/";
    let no_origin = TrustedOrigins::default().trust(origin);
    let no_origin = ProxyIdentityError::Origin(no_origin.expect_err("no origin"));
    let scheme = ProxyIdentity::builder(proxy()).trust_origin(origin);
    assert_eq!(scheme.build().expect_err("no origin"), no_origin);
    for field in ["", "a b", "authorization", "cookie"] {
        let expected = ProxyIdentityError::Field(field.to_owned());
        let user = ProxyIdentity::builder(proxy()).user_field(field).build();
        assert_eq!(user.expect_err(field), expected);
        let roles = ProxyIdentity::builder(proxy()).roles_field(field).build();
        assert_eq!(roles.expect_err(field), expected);
    }
}
