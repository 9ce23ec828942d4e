//! Requirements besides the identity: a recent login, a network, a check.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::policy::IpNet;
use auth_runtime::routing::{get, get_service, post};
use auth_runtime::schemes::TrustedProxiesError;
use auth_runtime::testing::{assert_hidden, with_caller, with_identity};
use auth_runtime::{
    Caller, CheckRequest, ClientAddress, Denied, Guard, GuardedRouter, Identity, ProtectedRouter,
    ProtectionSpace, requires,
};
use auth_tests::{App, space, space_builder, token};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use tower::ServiceExt;
use tower_http::set_header::SetResponseHeaderLayer;

fn request(target: &str) -> Request {
    Request::get(target).body(Body::empty()).expect("a request")
}

fn from(address: &str, request: Request) -> Request {
    let mut request = request;
    let address: SocketAddr = format!("{address}:4711").parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(address));
    request
}

fn known(identity: Identity, target: &str) -> Request {
    with_identity(request(target), identity)
}

async fn send(app: &impl App, request: Request) -> (StatusCode, Vec<String>, String) {
    let response: Response = app.clone().oneshot(request).await.unwrap();
    let challenges = response.headers().get_all("www-authenticate").iter();
    let challenges = challenges
        .map(|line| line.to_str().expect("visible ASCII").to_owned())
        .collect();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    let body = String::from_utf8(body.expect("a body").to_vec()).expect("UTF-8");
    (status, challenges, body)
}

async fn status(app: &impl App, request: Request) -> StatusCode {
    send(app, request).await.0
}

// ---- freshness ----

#[requires(acr = "mfa", max_age = "5m")]
async fn transfer() -> &'static str {
    "transferred"
}

#[requires(acr = "mfa", hide_as = 404)]
async fn hidden_transfer() -> &'static str {
    "transferred"
}

#[requires(amr = "otp")]
async fn otp() {}

fn fresh_claims(claims: serde_json::Value) -> Request {
    let token = token(claims);
    Request::get("/")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a request")
}

fn seconds_ago(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("now");
    now.as_secs() - seconds
}

#[tokio::test]
async fn a_token_says_how_and_when_its_owner_logged_in() {
    let app = GuardedRouter::new()
        .route("/", get(transfer))
        .protect(space())
        .unwrap();
    let challenge = "Bearer realm=\"api\", error=\"insufficient_user_authentication\", \
                     acr_values=\"mfa\", max_age=\"300\", \
                     error_description=\"the login is too old or too weak for this\"";
    for (claims, granted) in [
        (json!({ "acr": "mfa", "auth_time": seconds_ago(1) }), true),
        (
            json!({ "acr": "mfa", "auth_time": seconds_ago(299) as f64 + 0.5 }),
            true,
        ),
        // The configured tolerance for the issuer's clock applies here as well.
        (json!({ "acr": "mfa", "auth_time": seconds_ago(350) }), true),
        (
            json!({ "acr": "mfa", "auth_time": seconds_ago(0) + 30 }),
            true,
        ),
        (
            json!({ "acr": "mfa", "auth_time": seconds_ago(370) }),
            false,
        ),
        (
            json!({ "acr": "mfa", "auth_time": seconds_ago(0) + 90 }),
            false,
        ),
        (json!({ "acr": "mfa" }), false),
        (json!({ "acr": "mfa", "auth_time": "yesterday" }), false),
        (json!({ "acr": "mfa", "auth_time": -1 }), false),
        (json!({ "acr": "mfa", "auth_time": 1e300 }), false),
        (
            json!({ "acr": ["mfa"], "auth_time": seconds_ago(1) }),
            false,
        ),
        (json!({ "acr": "MFA", "auth_time": seconds_ago(1) }), false),
        (json!({ "auth_time": seconds_ago(1) }), false),
        (json!({}), false),
    ] {
        let (status, challenges, _) = send(&app, fresh_claims(claims.clone())).await;
        if granted {
            assert_eq!(status, 200, "{claims}");
        } else {
            assert_eq!(
                (status.as_u16(), challenges),
                (401, vec![challenge.to_owned()]),
                "{claims}"
            );
        }
    }
    // An anonymous caller does not learn the required login (RFC 9470 §9).
    let (status, challenges, _) = send(&app, request("/")).await;
    assert_eq!(
        (status.as_u16(), challenges),
        (401, vec!["Bearer realm=\"api\"".to_owned()])
    );
}

#[tokio::test]
async fn methods_of_logging_in_are_a_set() {
    let app = GuardedRouter::new()
        .route("/", get(otp))
        .protect(space())
        .unwrap();
    for (amr, expected) in [
        (json!(["pwd", "otp"]), 200),
        (json!("otp"), 200),
        (json!(["pwd"]), 401),
        (json!(["OTP"]), 401),
        (json!([["otp"]]), 401),
        (json!(null), 401),
    ] {
        let status = status(&app, fresh_claims(json!({ "amr": amr }))).await;
        assert_eq!(status, expected, "{amr}");
    }
}

/// Rule 3a stays visible: such a caller is entitled to the information.
#[tokio::test]
async fn a_hidden_handler_tells_those_who_only_have_to_log_in_again() {
    let app = GuardedRouter::new()
        .route("/hidden", get(hidden_transfer))
        .protect(space())
        .unwrap();
    assert_hidden(app.clone(), request("/hidden")).await;
    assert_hidden(
        app.clone(),
        with_caller(request("/hidden"), Caller::rejected()),
    )
    .await;
    let (status, challenges, _) = send(&app, known(Identity::new("ann"), "/hidden")).await;
    assert_eq!(status, 401);
    assert!(
        challenges[0].contains("acr_values=\"mfa\""),
        "{challenges:?}"
    );
}

// ---- network ----

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

#[requires(network = "2001:db8::/32", authenticated)]
async fn inner() -> &'static str {
    "inner"
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

#[tokio::test]
async fn a_network_lets_in_or_keeps_out_whoever_calls() {
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
    // Either: outside of the network, credentials are required.
    let (status, seen, _) = send(&app, from("198.51.100.7", request("/metrics"))).await;
    assert_eq!(status, 401);
    assert_eq!(seen, ["Bearer realm=\"api\", scope=\"metrics\""]);
    assert_eq!(
        self::status(&app, from("192.0.2.7", request("/metrics"))).await,
        200
    );
    // Both: inside of the network, credentials are required. Outside, nothing helps.
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
    // Outside of the network, the path is hidden as well.
    assert_hidden(app.clone(), from("198.51.100.7", request("/hidden"))).await;
    assert_hidden(app.clone(), from("198.51.100.7", known(ann(), "/hidden"))).await;
    assert_eq!(
        self::status(&app, from("192.0.2.7", request("/hidden"))).await,
        200
    );
    // Without the address of the connection, no caller is inside.
    assert_eq!(self::status(&app, request("/office")).await, 403);
}

#[tokio::test]
async fn a_forwarded_address_counts_only_from_a_configured_proxy() {
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
async fn the_socket_says_who_is_connected_when_it_is_served_so() {
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

// ---- check ----

/// The owners of the documents, and the number of calls.
#[derive(Clone, Default)]
struct Documents {
    asked: Arc<AtomicU32>,
}

/// Checks `/documents/{owner}`. The database is unavailable for documents of `nobody`.
async fn owns_document(request: CheckRequest<'_, Documents>) -> Result<bool, std::io::Error> {
    request.state().asked.fetch_add(1, Ordering::SeqCst);
    // A check may be asynchronous.
    tokio::time::sleep(Duration::from_millis(1)).await;
    // A subtree has no parameters.
    let path = request.uri().path();
    let owner = match request.parameter("owner") {
        Some(owner) => owner,
        None => path.rsplit('/').next().unwrap_or_default(),
    };
    // Routers may be nested, but the client's target is unchanged.
    if let Some(sent) = request.headers().get("x-sent") {
        assert_eq!(path, sent.to_str().expect("a path"));
        assert_eq!(request.parameter("other"), None);
    }
    if owner == "nobody" {
        return Err(std::io::Error::other("the database is down"));
    }
    Ok(owner == request.identity().subject())
}

async fn is_a_robot(request: CheckRequest<'_>) -> bool {
    request.headers().contains_key("x-robot")
}

#[requires(check = owns_document)]
async fn document(State(_): State<Documents>) -> &'static str {
    "a document"
}

#[requires(any(role = "admin", all(scope = "read", check = owns_document)))]
async fn either() -> &'static str {
    "a document"
}

#[requires(check = owns_document, hide_as = 404)]
async fn hidden_document() -> &'static str {
    "a document"
}

#[requires(scope = "write", hide_as = 404, hide_unless = check(owns_document))]
async fn half_hidden(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(false)?;
    Ok("never")
}

#[requires(check = is_a_robot)]
async fn robots() -> &'static str {
    "hello, robot"
}

fn documents() -> (ProtectedRouter, Arc<AtomicU32>) {
    let documents = Documents::default();
    let asked = Arc::clone(&documents.asked);
    let app = GuardedRouter::new()
        .route("/documents/{owner}", get(document))
        .route("/either/{owner}", get(either))
        .route("/hidden/{owner}", get(hidden_document))
        .route("/half/{owner}", get(half_hidden))
        .route("/robots", get(robots))
        .with_state(documents)
        .protect(space())
        .unwrap();
    (app, asked)
}

#[tokio::test]
async fn a_check_sees_identity_head_and_state_and_decides() {
    let (app, asked) = documents();
    let ann = || Identity::new("ann");
    let reader = || ann().with_scopes(["read"]);
    for (who, request, expected, times) in [
        ("owner", known(ann(), "/documents/ann"), 200, 1),
        ("not the owner", known(ann(), "/documents/bob"), 403, 1),
        ("the check fails", known(ann(), "/documents/nobody"), 503, 1),
        // The check does not run for a caller that is not known.
        ("anonymous", request("/documents/ann"), 401, 0),
        (
            "rejected",
            with_caller(request("/documents/ann"), Caller::rejected()),
            401,
            0,
        ),
        (
            "unverifiable",
            with_caller(request("/documents/ann"), Caller::unverifiable()),
            503,
            0,
        ),
        // It runs only if its result matters, and once.
        (
            "admin",
            known(ann().with_roles(["admin"]), "/either/nobody"),
            200,
            0,
        ),
        ("reader who owns", known(reader(), "/either/ann"), 200, 1),
        (
            "reader who does not own",
            known(reader(), "/either/bob"),
            403,
            1,
        ),
        ("the scope would help", known(ann(), "/either/ann"), 403, 1),
        ("no scope would help", known(ann(), "/either/bob"), 403, 1),
        ("a robot", known(ann(), "/robots"), 403, 0),
    ] {
        asked.store(0, Ordering::SeqCst);
        let (status, challenges, _) = send(&app, request).await;
        assert_eq!(status, expected, "{who}");
        assert_eq!(asked.load(Ordering::SeqCst), times, "{who}");
        let wants_scope = challenges.iter().any(|c| c.contains("insufficient_scope"));
        assert_eq!(
            wants_scope,
            who == "the scope would help",
            "{who}: {challenges:?}"
        );
    }
    let mut robot = known(ann(), "/robots");
    robot
        .headers_mut()
        .insert("x-robot", HeaderValue::from_static("yes"));
    assert_eq!(status(&app, robot).await, 200);
}

#[tokio::test]
async fn a_check_hides_as_everything_else_does_even_when_it_fails() {
    let (app, _) = documents();
    for owner in ["bob", "nobody"] {
        let target = format!("/hidden/{owner}");
        assert_hidden(app.clone(), known(Identity::new("ann"), &target)).await;
        assert_hidden(app.clone(), request(&target)).await;
        let target = format!("/half/{owner}");
        assert_hidden(app.clone(), known(Identity::new("ann"), &target)).await;
    }
    assert_eq!(
        status(&app, known(Identity::new("ann"), "/hidden/ann")).await,
        200
    );
    // A caller that meets `hide_unless` receives the visible denial, from the policy and from the
    // handler.
    assert_eq!(
        status(&app, known(Identity::new("ann"), "/half/ann")).await,
        403
    );
    let writer = |target| known(Identity::new("ann").with_scopes(["write"]), target);
    assert_eq!(status(&app, writer("/half/ann")).await, 403);
    assert_hidden(app.clone(), writer("/half/bob")).await;
}

/// Layers that only matched routes have move the decision outside of them. The state is available
/// there as well.
#[tokio::test]
async fn a_check_works_behind_layers_nests_and_services() {
    #[requires(check = owns_document, hide_as = 404)]
    struct Files;

    let files = tower::service_fn(|_request: Request| async {
        Ok::<_, Infallible>(Response::new(Body::from("a file")))
    });
    let layer = SetResponseHeaderLayer::overriding(
        http::HeaderName::from_static("x-layer"),
        HeaderValue::from_static("seen"),
    );
    let inner = GuardedRouter::new()
        .route("/hidden/{owner}", get(hidden_document))
        .route("/service/{owner}", get_service(Files, files))
        .route("/plain/{owner}", post(document))
        .layer(layer);
    let app = GuardedRouter::new()
        .nest("/n", inner)
        .nest_service("/files", Files, files)
        .with_state(Documents::default())
        .protect(space())
        .unwrap();
    let mut posted = known(Identity::new("ann"), "/n/plain/%61nn");
    *posted.method_mut() = http::Method::POST;
    let sent = HeaderValue::from_static("/n/plain/%61nn");
    posted.headers_mut().insert("x-sent", sent);
    assert_eq!(status(&app, posted).await, 200);
    for path in ["/n/hidden", "/n/service", "/files"] {
        let (own, other) = (format!("{path}/ann"), format!("{path}/bob"));
        let mut request = known(Identity::new("ann"), &own);
        let sent = own.parse().expect("a field");
        request.headers_mut().insert("x-sent", sent);
        assert_eq!(status(&app, request).await, 200, "{own}");
        assert_hidden(app.clone(), known(Identity::new("ann"), &other)).await;
    }
}

/// A path without a tenant meets the check.
async fn of_tenant(request: CheckRequest<'_>) -> bool {
    let tenant = request.parameter("tenant");
    tenant.is_none_or(|tenant| tenant == request.identity().subject())
}

#[requires(check = of_tenant)]
async fn file(uri: http::Uri) -> String {
    uri.to_string()
}

#[requires(check = of_tenant, hide_as = 404)]
async fn hidden_file() -> &'static str {
    "a file"
}

#[tokio::test]
async fn a_parameter_that_is_not_utf8_meets_no_check() {
    let app = GuardedRouter::new()
        .route("/all", get(file))
        .route("/t/{tenant}/{file}", get(file))
        .route("/w/{tenant}/{*rest}", get(file))
        .route("/h/{tenant}/{file}", get(hidden_file))
        .protect(space())
        .unwrap();
    let plain = Router::new()
        .route("/t/{tenant}/{file}", axum::routing::get(file))
        .layer(axum::Extension(space()));
    let ann = |target| known(Identity::new("ann"), target);
    for (target, expected) in [
        ("/all", 200),
        ("/t/ann/x", 200),
        ("/t/ann/%C3%BC", 200),
        ("/t/bob/x", 403),
        ("/t/bob/%FF", 403),
        ("/t/ann/%FF", 403),
        ("/t/%FF/x", 403),
        ("/w/ann/a/b", 200),
        ("/w/bob/a/b/%80", 403),
        ("/h/ann/x", 200),
    ] {
        assert_eq!(status(&app, ann(target)).await, expected, "{target}");
        if target.starts_with("/t/") {
            assert_eq!(
                status(&plain, ann(target)).await,
                expected,
                "plain {target}"
            );
        }
    }
    assert_hidden(app, ann("/h/bob/%FF")).await;
}

#[tokio::test]
async fn parameters_of_one_name_with_different_values_meet_no_check() {
    let inner = GuardedRouter::new()
        .route("/i/{tenant}", get(file))
        .protect(space())
        .unwrap();
    let app = Router::new().nest_service("/o/{tenant}", inner);
    for (target, expected) in [
        ("/o/ann/i/ann", 200),
        ("/o/ann/i/bob", 403),
        ("/o/bob/i/ann", 403),
        ("/o/bob/i/bob", 403),
    ] {
        let request = known(Identity::new("ann"), target);
        assert_eq!(status(&app, request).await, expected, "{target}");
    }
}

#[tokio::test]
async fn a_check_works_on_a_plain_router_too() {
    let app = Router::new()
        .route("/documents/{owner}", axum::routing::get(document))
        .route("/half/{owner}", axum::routing::get(half_hidden))
        .layer(axum::Extension(space()))
        .with_state(Documents::default());
    let ann = || Identity::new("ann");
    assert_eq!(status(&app, known(ann(), "/documents/ann")).await, 200);
    assert_eq!(status(&app, known(ann(), "/documents/bob")).await, 403);
    assert_eq!(status(&app, known(ann(), "/documents/nobody")).await, 503);
    assert_eq!(status(&app, known(ann(), "/half/ann")).await, 403);
    assert_eq!(status(&app, known(ann(), "/half/bob")).await, 404);
    let writer = |target| known(ann().with_scopes(["write"]), target);
    assert_eq!(status(&app, writer("/half/ann")).await, 403);
    assert_eq!(status(&app, writer("/half/bob")).await, 404);
}

#[tokio::test]
async fn a_check_that_asks_for_another_state_is_found_when_the_router_is_protected() {
    let router: GuardedRouter<u32> = GuardedRouter::new()
        .route("/either/{owner}", get(either))
        .route("/robots", get(robots))
        .route("/half/{owner}", get(half_hidden));
    let error = router.with_state(7).protect(space()).unwrap_err();
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "the check `owns_document` of `integration::conditions::either` needs the state \
             `integration::conditions::Documents`, and the router of the handler has another \
             state",
            "the check `owns_document` of `integration::conditions::half_hidden` needs the state \
             `integration::conditions::Documents`, and the router of the handler has another \
             state",
        ],
    );
    assert_eq!(format!("{error:?}"), text);

    // On a plain router, the error is detected at the first request, and the response is a denial.
    let app = Router::new()
        .route("/either/{owner}", axum::routing::get(either))
        .layer(axum::Extension(space()));
    let reader = Identity::new("ann").with_scopes(["read"]);
    assert_eq!(status(&app, known(reader, "/either/ann")).await, 503);
}
