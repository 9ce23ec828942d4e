//! Conditions on the address of the client.

use auth_runtime::decision::{Context, Decision, Denial};
use auth_runtime::policy::{Atom, IpNet, Network};
use auth_runtime::schemes::{Basic, TrustedProxiesError};
use auth_runtime::{ClientAddress, Policy, ProtectionSpace, Requirement};
use axum::extract::connect_info::MockConnectInfo;

use http::HeaderName;

use super::*;

#[requires(network = "192.0.2.0/24")]
async fn office(guard: Guard) -> String {
    match guard.identity() {
        Some(identity) => identity.subject().to_owned(),
        None => "somebody".to_owned(),
    }
}

#[requires(any(network = "192.0.2.0/24", scope = "metrics"))]
async fn metrics() -> &'static str {
    "metrics"
}

#[requires(network = "192.0.2.0/24", hide_as = 404)]
async fn hidden_office() -> &'static str {
    "hidden"
}

fn networked(space: ProtectionSpace) -> ProtectedRouter {
    GuardedRouter::new()
        .route("/office", get(office))
        .route("/metrics", get(metrics))
        .route("/inner", get(inner))
        .route("/hidden", get(hidden_office))
        .protect(space)
        .unwrap()
}

#[test]
fn networks_have_all_their_addresses() {
    let blocks = [
        "203.0.113.0/25",
        "198.51.100.0/24",
        "2001:db8::/32",
        "2001:dba::/32",
    ];
    let blocks = blocks.map(|block| block.parse().expect("a block"));
    let office = Network::owned("office", blocks.to_vec());
    let policy = Policy::requires(Requirement::Atom(Atom::Network(office)));
    for (address, is_inside) in [
        ("203.0.112.255", false),
        ("203.0.113.0", true),
        ("203.0.113.127", true),
        ("203.0.113.128", false),
        ("198.51.100.0", true),
        ("198.51.100.255", true),
        ("2001:db8::", true),
        ("2001:db9::1", false),
        ("2001:dba:ffff:ffff:ffff:ffff:ffff:ffff", true),
    ] {
        let context = Context::new(&Caller::Anonymous);
        let context = context.with_address(address.parse().expect("an address"));
        let expected = if is_inside {
            Decision::Grant
        } else {
            Decision::Deny(Denial::FORBIDDEN)
        };
        assert_eq!(Decision::of(&policy, &context), expected, "{address}");
    }
}

#[tokio::test]
async fn networks_allow_and_deny() {
    let app = networked(space());
    let ann = || Identity::new("ann");
    let none = Vec::<String>::new();
    let bare = vec!["Bearer realm=\"api\"".to_owned()];

    // True: granted for every caller, also with invalid credentials (rule 1).
    for (request, who) in [
        (request("/office"), "somebody"),
        (known(ann(), "/office"), "ann"),
        (
            with_caller(request("/office"), Caller::rejected()),
            "somebody",
        ),
        (
            with_caller(request("/office"), Caller::unverifiable()),
            "somebody",
        ),
    ] {
        let (status, _, body) = send(&app, from("192.0.2.7", request)).await;
        assert_eq!((status.as_u16(), body.as_str()), (200, who));
    }
    // False: 403, never 401, since no credentials would help (rules 2, 3d and 4).
    for (request, challenges) in [
        (request("/office"), &none),
        (with_caller(request("/office"), Caller::rejected()), &none),
        (
            with_caller(request("/office"), Caller::unverifiable()),
            &none,
        ),
        (known(ann(), "/office"), &bare),
    ] {
        let (status, seen, _) = send(&app, from("198.51.100.7", request)).await;
        assert_eq!((status.as_u16(), &seen), (403, challenges));
    }
    // Either: outside the network, credentials are required.
    let (status, seen, _) = send(&app, from("198.51.100.7", request("/metrics"))).await;
    assert_eq!(status, 401);
    assert_eq!(seen, ["Bearer realm=\"api\", scope=\"metrics\""]);
    assert_eq!(
        self::status(&app, from("192.0.2.7", request("/metrics"))).await,
        200
    );
    // Both: inside the network, credentials are required. Outside, nothing helps.
    assert_eq!(
        self::status(&app, from("[2001:db8::1]", request("/inner"))).await,
        401
    );
    assert_eq!(
        self::status(&app, from("[2001:db8::1]", known(ann(), "/inner"))).await,
        200
    );
    assert_eq!(
        self::status(&app, from("[2001:db9::1]", request("/inner"))).await,
        403
    );
    // A dual-stack socket writes IPv4 addresses as IPv6.
    assert_eq!(
        self::status(&app, from("[::ffff:192.0.2.7]", request("/office"))).await,
        200
    );
    // Outside the network, the path is hidden as well.
    assert_hidden(app.clone(), from("198.51.100.7", request("/hidden"))).await;
    assert_hidden(app.clone(), from("198.51.100.7", known(ann(), "/hidden"))).await;
    assert_eq!(
        self::status(&app, from("192.0.2.7", request("/hidden"))).await,
        200
    );
    // Without the address of the connection, no caller is inside.
    assert_eq!(self::status(&app, request("/office")).await, 403);
}

/// The address of axum's `ConnectInfo` counts before that of its `MockConnectInfo`, which tests add, and before a plain
/// one, which another server adds.
#[tokio::test]
async fn peer_is_that_of_connection() {
    let app = networked(space());
    let [inside, outside] = ["192.0.2.7", "198.51.100.7"].map(Some);
    for (connection, mocked, plain, expected) in [
        (None, None, inside, 200),
        (None, None, outside, 403),
        (None, inside, None, 200),
        (None, outside, None, 403),
        (None, inside, outside, 200),
        (None, outside, inside, 403),
        (inside, None, outside, 200),
        (inside, outside, None, 200),
        (outside, None, inside, 403),
        (outside, inside, None, 403),
    ] {
        let mut request = request("/office");
        if let Some(address) = connection {
            request = from(address, request);
        }
        if let Some(address) = plain {
            let peer = SocketAddr::new(address.parse().expect("an address"), 4711);
            request.extensions_mut().insert(peer);
        }
        let status = match mocked {
            Some(address) => {
                let peer = SocketAddr::new(address.parse().expect("an address"), 4711);
                let app = app.clone().layer(MockConnectInfo(peer));
                status(&app, request).await
            }
            None => status(&app, request).await,
        };
        assert_eq!(status, expected, "{connection:?} {mocked:?} {plain:?}");
    }
}

#[tokio::test]
async fn plain_routers_see_the_address() {
    let app = axum::Router::new()
        .route("/office", axum::routing::get(office))
        .route("/metrics", axum::routing::get(metrics))
        .layer(axum::Extension(space()));
    for (path, address, expected) in [
        ("/office", Some("192.0.2.7"), 200),
        ("/office", Some("198.51.100.7"), 403),
        ("/office", None, 403),
        ("/metrics", Some("192.0.2.7"), 200),
        ("/metrics", Some("198.51.100.7"), 401),
        ("/metrics", None, 401),
    ] {
        let request = match address {
            Some(address) => from(address, request(path)),
            None => request(path),
        };
        assert_eq!(status(&app, request).await, expected, "{path} {address:?}");
    }
    // No credentials would help (rules 2 and 4).
    for caller in [Caller::rejected(), Caller::unverifiable()] {
        let request = with_caller(request("/office"), caller.clone());
        let (status, challenges, _) = send(&app, request).await;
        assert_eq!((status.as_u16(), challenges), (403, vec![]), "{caller:?}");
    }
}

#[tokio::test]
async fn only_configured_proxies_forward_addresses() {
    let behind = |client_address| {
        let space = space_builder().client_address(client_address).build();
        networked(space.expect("a space"))
    };
    let proxies = || ["198.51.100.7/32", "2001:db8:1::7/128"].map(|text| text.parse().unwrap());
    let by_x = behind(ClientAddress::x_forwarded_for(proxies()).unwrap());
    let by_standard = behind(ClientAddress::forwarded(proxies()).unwrap());
    let direct = networked(space());
    let (x, standard) = ("x-forwarded-for", "forwarded");
    let proxy = Some("198.51.100.7");
    let mapped = Some("[::ffff:198.51.100.7]");
    let ipv6 = Some("[2001:db8:1::7]");
    let elsewhere = Some("203.0.113.9");
    let inside = Some("192.0.2.7");
    for (app, peer, lines, expected) in [
        (&by_x, elsewhere, &[(x, "192.0.2.7")][..], 403),
        (&by_standard, elsewhere, &[(standard, "for=192.0.2.7")], 403),
        (&by_x, elsewhere, &[(x, "192.0.2.7, 198.51.100.7")], 403),
        (&by_x, None, &[(x, "192.0.2.7")], 403),
        (&by_standard, None, &[(standard, "for=192.0.2.7")], 403),
        (
            &direct,
            proxy,
            &[(x, "192.0.2.7"), (standard, "for=192.0.2.7")],
            403,
        ),
        (&by_x, proxy, &[(x, "192.0.2.7")], 200),
        (&by_x, mapped, &[(x, "192.0.2.7")], 200),
        (&by_x, ipv6, &[(x, "192.0.2.7")], 200),
        (&by_standard, proxy, &[(standard, "for=192.0.2.7")], 200),
        (&by_x, proxy, &[(x, "192.0.2.7, 203.0.113.9")], 403),
        (
            &by_standard,
            proxy,
            &[(standard, "for=192.0.2.7, for=203.0.113.9")],
            403,
        ),
        (&by_x, proxy, &[(x, "192.0.2.7"), (x, "203.0.113.9")], 403),
        (
            &by_x,
            proxy,
            &[(x, "203.0.113.9, 192.0.2.7, 2001:db8:1::7")],
            200,
        ),
        (&by_x, proxy, &[], 403),
        (
            &by_x,
            proxy,
            &[(standard, "for=192.0.2.7"), ("x-real-ip", "192.0.2.7")],
            403,
        ),
        (&by_x, proxy, &[(x, "192.0.2.7, unknown")], 403),
        // This field has no quotes, so that of a client does not hide the address behind it.
        (&by_x, proxy, &[(x, "\", 192.0.2.7")], 200),
        // The address of a client that bypasses the proxy is that of its socket.
        (&by_x, inside, &[(x, "203.0.113.9")], 200),
    ] {
        let mut request = match peer {
            Some(peer) => from(peer, request("/office")),
            None => request("/office"),
        };
        for (name, line) in lines {
            let value = HeaderValue::from_static(line);
            request.headers_mut().append(*name, value);
        }
        assert_eq!(status(app, request).await, expected, "{peer:?} {lines:?}");
    }
}

/// A request whose client the proxy does not name is not from the network of the proxy.
#[tokio::test]
async fn proxy_networks_are_not_client_networks() {
    #[requires(network = "198.51.100.0/24")]
    async fn internal() {}

    let proxies = || ["198.51.100.7/32".parse::<IpNet>().unwrap()];
    let single = HeaderName::from_static("cf-connecting-ip");
    for (name, client_address, own) in [
        (
            "x-forwarded-for",
            ClientAddress::x_forwarded_for(proxies()),
            "198.51.100.9",
        ),
        (
            "forwarded",
            ClientAddress::forwarded(proxies()),
            "for=198.51.100.9",
        ),
        (
            "cf-connecting-ip",
            ClientAddress::from_field(single, proxies()),
            "198.51.100.9",
        ),
    ] {
        let space = space_builder().client_address(client_address.unwrap());
        let app = GuardedRouter::new()
            .route("/", get(internal))
            .protect(space.build().unwrap())
            .unwrap();
        let foreign = own.replace("198.51.100.9", "203.0.113.9");
        let twice = format!("{own}, {own}");
        for (peer, value, expected) in [
            ("198.51.100.7", Some(own), 200),
            ("198.51.100.7", Some(&*foreign), 403),
            ("198.51.100.7", Some("unknown"), 403),
            ("198.51.100.7", Some(""), 403),
            ("198.51.100.7", None, 403),
            // Only a list has several addresses.
            (
                "198.51.100.7",
                Some(&*twice),
                if name == "cf-connecting-ip" { 403 } else { 200 },
            ),
            // Not by the proxy, so the field does not count.
            ("198.51.100.9", Some(&*foreign), 200),
            ("198.51.100.9", None, 200),
            ("203.0.113.9", Some(own), 403),
        ] {
            let mut request = from(peer, request("/"));
            if let Some(value) = value {
                let value = HeaderValue::from_str(value).unwrap();
                request.headers_mut().insert(name, value);
            }
            let status = status(&app, request).await;
            assert_eq!(status, expected, "{name}: {value:?} by {peer}");
        }
    }
}

#[tokio::test]
async fn a_network_discloses_a_path() {
    #[requires(role = "admin", hide_as = 404, hide_unless = network("192.0.2.0/24"))]
    async fn shown_inside() {}
    #[requires(
        role = "admin",
        hide_as = 404,
        hide_unless = any(role = "clerk", all(scope = "a", network = "192.0.2.0/24"))
    )]
    async fn shown_to_some_inside() {}

    let app = GuardedRouter::new()
        .route("/inside", get(shown_inside))
        .route("/some", get(shown_to_some_inside))
        .protect(space())
        .unwrap();
    let (inside, outside) = ("192.0.2.7", "198.51.100.7");
    let ann = || Identity::new("ann").with_scopes(["a"]);
    let clerk = || Identity::new("bob").with_roles(["clerk"]);
    for (address, request, expected) in [
        (inside, request("/inside"), 401),
        (inside, known(ann(), "/inside"), 403),
        (inside, known(ann(), "/some"), 403),
        (outside, known(clerk(), "/some"), 403),
    ] {
        let target = request.uri().to_string();
        let status = status(&app, from(address, request)).await;
        assert_eq!(status, expected, "{target} from {address}");
    }
    for (address, request) in [
        (outside, request("/inside")),
        (outside, known(ann(), "/inside")),
        (outside, known(ann(), "/some")),
        (inside, request("/some")),
        (inside, known(Identity::new("eve"), "/some")),
    ] {
        assert_hidden(app.clone(), from(address, request)).await;
    }
    assert_hidden(app.clone(), known(ann(), "/inside")).await;
}

#[test]
fn trusted_proxies_are_named_by_address() {
    let constructors: [fn(Vec<IpNet>) -> _; 2] = [
        |proxies| ClientAddress::forwarded(proxies),
        |proxies| ClientAddress::x_forwarded_for(proxies),
    ];
    for constructor in constructors {
        assert_eq!(constructor(Vec::new()), Err(TrustedProxiesError::NoProxy));
        let everywhere: IpNet = "::/0".parse().unwrap();
        let error = TrustedProxiesError::EveryAddress(everywhere);
        assert_eq!(constructor(vec![everywhere]), Err(error));
        assert!(constructor(vec!["192.0.2.7/32".parse().unwrap()]).is_ok());
    }
}

#[tokio::test]
async fn the_socket_has_the_address() {
    #[requires(network = "127.0.0.0/8")]
    async fn local() -> &'static str {
        "local"
    }
    let app = GuardedRouter::new()
        .route("/", get(local))
        .protect(space())
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let request = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = auth_tests::send_raw(address, request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Credentials that decide nothing identify the caller: for the handler, for `hide_unless`, and for the
/// challenge of a denial.
#[tokio::test]
async fn schemes_beside_network_identify_caller() {
    #[requires(network = "192.0.2.0/24", schemes(Bearer), realm = "lan")]
    async fn page(guard: Guard) -> String {
        let identity = guard.identity();
        identity.map_or_else(String::new, |identity| identity.subject().to_owned())
    }
    #[requires(network = "192.0.2.0/24", hide_as = 404, hide_unless = scope("ops"), schemes(Bearer))]
    async fn hidden() {}

    let basic = Basic::new(async |user, _| Caller::known(Identity::new(user).with_scopes(["ops"])));
    let app = GuardedRouter::new()
        .route("/page", get(page))
        .route("/hidden", get(hidden))
        .protect(space_builder().scheme(basic).build().unwrap())
        .unwrap();
    let token = auth_tests::token(serde_json::json!({ "sub": "ann", "scope": "ops" }));
    let token = format!("Bearer {token}");
    let with = |credentials: &str, address, target| {
        let mut request = from(address, request(target));
        let credentials = HeaderValue::from_str(credentials).expect("a value");
        request.headers_mut().insert("authorization", credentials);
        request
    };
    let (password, inside, outside) = ("Basic YW5uOng=", "192.0.2.7", "198.51.100.7");
    let lan = r#"Bearer realm="lan""#;
    for (credentials, address, target, expected) in [
        (&*token, inside, "/page", (200, vec![], "ann")),
        (password, inside, "/page", (200, vec![], "")),
        (&*token, outside, "/page", (403, vec![lan], "")),
        (password, outside, "/page", (403, vec![], "")),
        (
            &*token,
            outside,
            "/hidden",
            (403, vec![r#"Bearer realm="api""#], ""),
        ),
    ] {
        let (status, challenges, body) = send(&app, with(credentials, address, target)).await;
        let body = if status == 200 { body } else { String::new() };
        let challenges = challenges.iter().map(String::as_str).collect();
        let seen = (status.as_u16(), challenges, body.as_str());
        assert_eq!(seen, expected, "{credentials} {address} {target}");
    }
    assert_hidden(app, with(password, outside, "/hidden")).await;
}
