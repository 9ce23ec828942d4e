//! Support for tests of services: a space without real schemes, and callers of claims.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_runtime::routing::get;
use auth_runtime::schemes::{Basic, Jwt, JwtKey};
use auth_runtime::testing::{
    assert_hidden, guarded, space, space_builder, with_caller, with_identity,
};
use auth_runtime::{Caller, CurrentUser, GuardedRouter, Identity, Rejection, requires};
use auth_tests::{AUDIENCE, App, ISSUER, verifier};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing;
use http::StatusCode;
use serde_json::{Value, json};
use tower::ServiceExt;

struct User;

#[requires(role = "editor", max_age = "5m")]
async fn fresh() {}

#[requires(authenticated)]
async fn known() {}

#[requires(scope = "read", schemes(Basic, "Cookie"))]
async fn read(_: CurrentUser<User>) {}

#[requires(scope = "read", sender_constrained)]
async fn bound() {}

#[requires(sender_constrained, schemes("MutualTLS"))]
async fn by_certificate() {}

#[requires(permission = "orders:notify", schemes("Webhook"), hide_as = 404)]
async fn webhook() {}

fn request() -> Request {
    Request::get("/").body(Body::empty()).expect("a request")
}

async fn status(app: &impl App, request: Request) -> StatusCode {
    let response = app.clone().oneshot(request).await;
    response.expect("infallible").status()
}

fn ann() -> Identity {
    Identity::new("ann")
        .with_scopes(["read"])
        .with_roles(["editor"])
}

fn logged_in(ago: u64) -> Identity {
    ann().with_auth_time(SystemTime::now() - Duration::from_secs(ago))
}

#[tokio::test]
async fn every_policy_is_tested_without_schemes() {
    let app = |router: GuardedRouter| router.protect(space()).expect("it accepts all of them");
    let fresh = app(GuardedRouter::new().route("/", get(fresh)));
    let read = app(GuardedRouter::new().route("/", get(read)));
    let bound = app(GuardedRouter::new().route("/", get(bound)));
    let by_certificate = app(GuardedRouter::new().route("/", get(by_certificate)));
    let webhook = app(GuardedRouter::new().route("/", get(webhook)));
    for (app, identity, expected) in [
        (&fresh, logged_in(10), 200),
        (&fresh, logged_in(600), 401),
        (&fresh, Identity::new("bob"), 403),
        (&read, ann().with_user(User), 200),
        (&read, Identity::new("bob").with_user(User), 403),
        (&bound, ann().with_sender_constraint(), 200),
        (&bound, ann(), 401),
        (&by_certificate, ann().with_sender_constraint(), 200),
        (&by_certificate, ann(), 401),
        (&webhook, ann().with_permissions(["orders:notify"]), 200),
        (&webhook, ann(), 404),
    ] {
        let request = with_identity(request(), identity.clone());
        assert_eq!(status(app, request).await, expected, "{identity:?}");
    }
    assert_eq!(status(&fresh, request()).await, 401);
    let down = with_caller(request(), Caller::unverifiable());
    assert_eq!(status(&fresh, down).await, 503);
}

#[tokio::test]
async fn credentials_of_the_network_are_rejected() {
    let app = GuardedRouter::new().route("/", get(bound)).protect(space());
    let app = app.expect("it accepts all of them");
    let mut request = request();
    let token = "Bearer anything".parse().expect("a value");
    request.headers_mut().insert("authorization", token);
    assert_eq!(status(&app, request).await, 401);
}

#[tokio::test]
async fn plain_routers_are_guarded() {
    let app = guarded(Router::new().route("/", routing::get(fresh)), space());
    let by = |identity| with_identity(request(), identity);
    assert_eq!(status(&app, request()).await, 401);
    assert_eq!(status(&app, by(logged_in(10))).await, 200);
    assert_eq!(status(&app, by(Identity::new("bob"))).await, 403);
}

#[test]
fn schemes_of_the_service_are_added() {
    #[requires(authenticated, schemes("Badge"))]
    async fn gate() {}
    struct Badge;
    impl auth_runtime::schemes::Scheme for Badge {
        fn name(&self) -> &str {
            "Badge"
        }

        fn verify(
            &self,
            _: &auth_runtime::schemes::Credentials<'_>,
        ) -> auth_runtime::schemes::Verification {
            auth_runtime::schemes::Verification::done(Caller::rejected())
        }
    }
    let router = || GuardedRouter::new().route("/", get(gate));
    assert!(router().protect(space()).is_err());
    let space = space_builder().scheme(Badge).build().expect("a space");
    assert!(router().protect(space).is_ok());
}

/// The names of the schemes of the package, as their sources return them. The service chooses that of `Tokens`.
#[tokio::test]
async fn space_of_tests_has_every_scheme() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../auth-runtime/schemes/src");
    let mut folders = vec![PathBuf::from(folder)];
    let mut named = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(path).expect("a source");
            for scheme in source.split("\nimpl Scheme for ").skip(1) {
                let (scheme, rest) = scheme.split_once(" {").expect("an implementation");
                let (_, rest) = rest.split_once("fn name(&self) -> &str {").expect("a name");
                let (name, _) = rest.split_once('}').expect("the end");
                named.push((scheme.to_owned(), name.trim().to_owned()));
            }
        }
    }
    named.sort();
    let mut expected = Vec::new();
    for (scheme, name) in &named {
        match (&**scheme, name.trim_matches('"')) {
            ("ApiKeys", _) => expected.push("ApiKey"),
            ("CarriedJwt", _) => expected.push("JWT"),
            ("MutualTls", _) => expected.push("MutualTLS"),
            ("ProxyIdentity", _) => expected.push("Proxy"),
            ("Sessions", _) => expected.push("Cookie"),
            ("Webhooks", _) => expected.push("Webhook"),
            ("Tokens", _) => {}
            (_, name) => expected.push(name),
        }
    }
    let app = GuardedRouter::new().route("/", get(known));
    let app = app.protect(space()).expect("it accepts all of them");
    let response = app.oneshot(request()).await.expect("infallible");
    let offered = response.headers().get_all("www-authenticate").iter();
    let offered = offered.map(|line| line.to_str().expect("ASCII"));
    let mut offered: Vec<_> = offered.filter_map(|line| line.split(' ').next()).collect();
    // The only one without a challenge.
    offered.push("SignedUrl");
    expected.sort_unstable();
    offered.sort_unstable();
    assert_eq!(offered, expected);
}

fn issuer(name: &str) -> auth_runtime::schemes::JwtBuilder {
    let key = JwtKey::hs256([7; 32]).expect("it is long enough");
    Jwt::builder().issuer(name).audience(AUDIENCE).key(key)
}

#[test]
fn claims_follow_rules_of_their_issuer() {
    let other = issuer("https://partner.example")
        .roles_claim(["realm_access", "roles"])
        .rfc9068_only()
        .revoked_if(|claims| claims.get("jti").is_some_and(|id| id == "stolen"));
    let both = Jwt::any_of([verifier(), other.build().expect("a verifier")]).expect("two");
    let partner = |mut more: Value| {
        more["iss"] = json!("https://partner.example");
        both.caller_of(more)
    };
    let ann = both.caller_of(json!({ "sub": "ann", "scope": "read write", "roles": ["editor"] }));
    let ann = ann.identity().expect("a known caller");
    assert_eq!((ann.subject(), ann.issuer()), ("ann", Some(ISSUER)));
    assert!(ann.has_scope("write") && ann.has_role("editor"));
    let bob = partner(json!({ "sub": "bob", "realm_access": { "roles": ["admin"] } }));
    let bob = bob.identity().expect("a known caller");
    assert!(bob.has_role("admin"));
    for (caller, rejection) in [
        (
            both.caller_of(json!({ "scope": "read" })),
            Rejection::Invalid,
        ),
        (
            both.caller_of(json!({ "sub": "ann", "exp": 1 })),
            Rejection::Expired,
        ),
        (
            both.caller_of(json!({ "sub": "ann", "aud": "another" })),
            Rejection::Invalid,
        ),
        (
            both.caller_of(json!({ "sub": "ann", "iss": "https://eve.example" })),
            Rejection::Invalid,
        ),
        (both.caller_of(json!("ann")), Rejection::Invalid),
        (
            partner(json!({ "sub": "bob", "jti": "stolen" })),
            Rejection::Invalid,
        ),
    ] {
        assert!(
            matches!(caller, Caller::Rejected(own) if own == rejection),
            "{caller:?}"
        );
    }
}

#[test]
fn claims_need_no_audience_if_allowed() {
    let any = || {
        let key = JwtKey::hs256([7; 32]).expect("it is long enough");
        Jwt::builder().issuer(ISSUER).any_audience().key(key)
    };
    for builder in [any(), any().rfc9068_only()] {
        let jwt = builder.scope_prefix("api://").build().expect("a verifier");
        let ann = jwt.caller_of(json!({ "sub": "ann", "scope": "read" }));
        let ann = ann.identity().expect("a known caller");
        assert!(ann.has_scope("api://read"));
    }
}

/// A caller that a test sets uses the scheme that such a caller would use.
#[tokio::test]
async fn set_callers_use_schemes_unless_anonymous() {
    let schemes = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&schemes);
    let space = auth_tests::space_builder().audit(move |record| {
        let scheme = record.scheme().map(str::to_owned);
        kept.lock().expect("no panic").push(scheme);
    });
    let app = GuardedRouter::new().route("/", get(fresh));
    let app = app
        .protect(space.build().expect("a space"))
        .expect("routes");
    for caller in [
        Caller::Anonymous,
        Caller::rejected(),
        Caller::unverifiable(),
        Caller::known(ann()),
    ] {
        status(&app, with_caller(request(), caller)).await;
    }
    let bearer = Some("Bearer".to_owned());
    let expected = [None, bearer.clone(), bearer.clone(), bearer];
    assert_eq!(*schemes.lock().expect("no panic"), expected);
}

/// On a hidden path that accepts one scheme, a rejected caller receives the response of an unknown path.
#[tokio::test]
async fn every_scheme_hides_a_set_caller() {
    #[requires(role = "admin", schemes(Basic), hide_as = 404)]
    async fn hidden() {}

    let basic = Basic::new(async |_, _| Caller::rejected());
    let space = auth_tests::space_builder().scheme(basic).build();
    let app = GuardedRouter::new().route("/hidden", get(hidden));
    let app = app.protect(space.expect("a space")).expect("routes");
    let mut seen = Vec::new();
    for path in ["/hidden", "/nowhere"] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = app
            .clone()
            .oneshot(with_caller(request, Caller::rejected()));
        let response = response.await.expect("infallible");
        seen.push(format!("{} {:?}", response.status(), response.headers()));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].contains("invalid_token"), "{seen:?}");
}

#[tokio::test]
async fn stand_ins_have_properties_of_schemes() {
    #[requires(scope = "read", schemes(Basic))]
    async fn by_password() {}
    #[requires(scope = "read", schemes(Bearer))]
    async fn by_token() {}
    #[requires(max_age = "5m", schemes(Basic, "Cookie"))]
    async fn by_login() {}
    #[requires(scope = "read", schemes("SignedUrl"))]
    async fn by_link() {}
    #[requires(sender_constrained, schemes("ApiKey"))]
    async fn by_bound_key() {}

    let app = GuardedRouter::new()
        .route("/password", get(by_password))
        .route("/token", get(by_token))
        .route("/login", get(by_login))
        .protect(space())
        .expect("it accepts all of them");
    for (path, identity, expected, challenges) in [
        ("/password", Identity::new("bob"), 403, &[][..]),
        (
            "/token",
            Identity::new("bob"),
            403,
            &[r#"Bearer realm="test""#],
        ),
        // Only a cookie has the time of a login.
        ("/login", logged_in(600), 401, &[r#"Cookie realm="test""#]),
    ] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(with_identity(request, identity)).await;
        let response = response.expect("infallible");
        assert_eq!(response.status(), expected, "{path}");
        let seen = response.headers().get_all("www-authenticate").iter();
        let seen: Vec<_> = seen.map(|line| line.to_str().expect("ASCII")).collect();
        assert_eq!(seen, challenges, "{path}");
    }
    for (router, mistake) in [
        (GuardedRouter::new().route("/", get(by_link)), "by_link"),
        (
            GuardedRouter::new().route("/", get(by_bound_key)),
            "by_bound_key",
        ),
    ] {
        let error = router.protect(space()).expect_err("no scheme can do this");
        assert!(error.to_string().contains(mistake), "{error}");
    }
}

#[requires(role = "admin", hide_as = 404)]
async fn hidden() {}

/// An application whose responses on the path `/hidden` have this body, and those of unknown paths another.
fn answering(on_hidden: &'static str, on_unknown: &'static str) -> impl App {
    let app = GuardedRouter::new().route("/hidden", get(hidden));
    let app = app.protect(space()).expect("in order");
    tower::service_fn(move |request: Request| {
        let body = match request.uri().path() {
            "/hidden" => on_hidden,
            _ => on_unknown,
        };
        let app = app.clone();
        async move {
            let response = app.oneshot(request).await?;
            Ok::<_, Infallible>(response.map(|_| Body::from(body)))
        }
    })
}

#[tokio::test]
async fn another_body_is_no_hiding() {
    let request = || {
        Request::get("/hidden")
            .body(Body::empty())
            .expect("a request")
    };
    assert_hidden(answering("missing", "missing"), request()).await;
    for (on_hidden, on_unknown) in [
        ("missing", "nothing"),
        ("missing", "missing, too"),
        ("missing, too", "missing"),
        ("", "missing"),
        ("missing", ""),
    ] {
        let app = answering(on_hidden, on_unknown);
        let compared = tokio::spawn(assert_hidden(app, request())).await;
        let panic = compared.expect_err("they differ").into_panic();
        let text = panic.downcast_ref::<String>().expect("a text");
        assert!(
            text.starts_with("GET /hidden differs from an unknown path."),
            "{text}"
        );
    }
}

/// A response prints the time, and a second passes at any point of the comparison.
#[tokio::test]
async fn clock_that_ticks_distinguishes_no_path() {
    for tick in 0..8 {
        let app = GuardedRouter::new().route("/hidden", get(hidden));
        let app = app.protect(space()).expect("in order");
        let responses = Arc::new(AtomicUsize::new(0));
        let app = tower::service_fn(move |request: Request| {
            let (app, responses) = (app.clone(), Arc::clone(&responses));
            async move {
                let response = app.oneshot(request).await?;
                let is_later = responses.fetch_add(1, Ordering::Relaxed) >= tick;
                let time = if is_later { "12:00:01" } else { "12:00:00" };
                Ok::<_, Infallible>(response.map(|_| Body::from(time)))
            }
        });
        let request = Request::get("/hidden").body(Body::empty());
        assert_hidden(app, request.expect("a request")).await;
    }
}

/// A layer around the router responds to requests without a field. Credentials are sent for the comparison only.
#[tokio::test]
async fn comparison_sends_fields_that_layers_need() {
    let app = GuardedRouter::new().route("/hidden", get(hidden));
    let app = app.protect(space()).expect("in order");
    let app = app.layer(from_fn(async |request: Request, next: Next| {
        let has_cookie = request.headers().contains_key("cookie");
        assert_eq!(has_cookie, request.method() == "GET");
        if request.headers().contains_key("x-tenant") {
            next.run(request).await
        } else {
            StatusCode::BAD_REQUEST.into_response()
        }
    }));
    let request = Request::get("/hidden").header("x-tenant", "acme");
    let request = request.header("cookie", "a=b").body(Body::empty());
    let request = with_identity(request.expect("a request"), Identity::new("bob"));
    assert_hidden(app, request).await;
}

/// An unknown path is one with another name of the same length, which no route is likely to have.
#[tokio::test]
async fn hidden_paths_compare_with_random_names() {
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&asked);
    // It seems to route every path, so that all names are tried.
    let app = tower::service_fn(move |request: Request| {
        let path = request.uri().path().to_owned();
        seen.lock().expect("no panic").insert(path);
        async { Ok::<_, Infallible>(Response::default()) }
    });
    let request = Request::get("/a/hidden").body(Body::empty());
    let compared = tokio::spawn(assert_hidden(app, request.expect("a request"))).await;
    let panic = compared.expect_err("no unknown path").into_panic();
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(text.starts_with("every path beside /a/hidden is routed"));

    let asked = asked.lock().expect("no panic");
    let is_name = |name: &str, length: usize| {
        let letters = match length {
            1 => Some(name),
            _ => name.strip_prefix('~'),
        };
        name.len() == length
            && letters.is_some_and(|it| it.bytes().all(|letter| letter.is_ascii_lowercase()))
    };
    let last = |path: &&String| {
        let name = path.strip_prefix("/a/");
        name.is_some_and(|name| is_name(name, "hidden".len()))
    };
    let first = |path: &&String| {
        let name = path.strip_suffix("/hidden");
        name.and_then(|name| name.strip_prefix('/'))
            .is_some_and(|name| name != "a" && is_name(name, 1))
    };
    let below = |path: &&String| {
        let names = path.strip_prefix("/a/hidden/");
        names.is_some_and(|names| names.split('/').all(|name| is_name(name, 12)))
    };
    // A letter may come up twice.
    let counts = [
        asked.iter().filter(last).count(),
        asked.iter().filter(first).count(),
    ];
    assert!(counts[0] > 10 && counts[1] > 2, "{asked:?}");
    assert_eq!(asked.iter().filter(below).count(), 4, "{asked:?}");
    // Each of them is one of these, or the path itself.
    let others = asked
        .iter()
        .filter(|path| !(last(path) || first(path) || below(path)));
    assert_eq!(others.collect::<Vec<_>>(), ["/a/hidden"]);
}
