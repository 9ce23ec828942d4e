//! JWTs in a field, in a cookie and in `Sec-WebSocket-Protocol`.

mod subprotocol;

use auth_runtime::schemes::{CarriedJwtBuilder, CarriedJwtError, TrustedOrigins};
use http::{HeaderName, Method};

use crate::schemes::tokens::{now, rs256, rsa_verifier};
use crate::schemes::*;

const FIELD: &str = "cf-access-jwt-assertion";
const COOKIE: &str = "__Host-token";
const REMOVAL: &str = "__Host-token=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";

fn expired() -> String {
    rs256(json!({ "exp": now() - 600 }))
}

fn bound() -> String {
    rs256(json!({ "cnf": { "jkt": "x" } }))
}

fn of(scheme: CarriedJwtBuilder) -> ProtectedRouter {
    app(space(scheme.build().expect("a scheme")))
}

fn cookie(value: impl AsRef<str>) -> Lines {
    let value = value.as_ref();
    vec![("cookie", format!("{COOKIE}={value}").into_bytes())]
}

#[tokio::test]
async fn field_of_its_own_carries_token() {
    let field = |value: &str| vec![(FIELD, value.as_bytes().to_vec())];
    let token = rs256(json!({}));
    let challenge: &[&str] = &["JWT realm=\"api\""];
    let app = of(rsa_verifier().in_field("Cf-Access-Jwt-Assertion"));
    let twice = vec![
        (FIELD, token.clone().into_bytes()),
        (FIELD, token.clone().into_bytes()),
    ];
    check(
        &app,
        "/read",
        vec![
            row("the token", field(&token), 200, &[]),
            row("none", vec![], 401, challenge),
            row("expired", field(&expired()), 401, challenge),
            row("malformed", field("no token"), 401, challenge),
            row("bound to a key", field(&bound()), 401, challenge),
            row(
                "another audience",
                field(&rs256(json!({ "aud": "another" }))),
                401,
                challenge,
            ),
            row(
                "another scope",
                field(&rs256(json!({ "scope": "write" }))),
                403,
                &[],
            ),
            row(
                "with a scheme",
                field(&format!("Bearer {token}")),
                401,
                challenge,
            ),
            row("in Authorization", bearer(&token), 401, challenge),
            row("twice", twice, 400, &[]),
        ],
    )
    .await;
}

#[tokio::test]
async fn scheme_without_challenge_is_not_challenged() {
    let gateway = rsa_verifier().in_gateway_field(FIELD).without_challenge();
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(rsa_verifier()))
        .scheme(gateway.build().expect("a scheme"));
    let app = app(space.build().expect("a space"));
    let in_field = |value: String| vec![(FIELD, value.into_bytes())];
    let challenge: &[&str] = &["Bearer realm=\"api\", scope=\"read\""];
    let both = [in_field(rs256(json!({}))), bearer(rs256(json!({})))].concat();
    let rejected_beside = [in_field(expired()), bearer(rs256(json!({})))].concat();
    check(
        &app,
        "/read",
        vec![
            row("the token", in_field(rs256(json!({}))), 200, &[]),
            row("none", vec![], 401, challenge),
            // Rejected credentials count as none.
            row("expired", in_field(expired()), 401, challenge),
            row("rejected beside a token", rejected_beside, 200, &[]),
            row("in two places", both, 400, &[TWICE]),
        ],
    )
    .await;
    let alone = rsa_verifier().in_gateway_field(FIELD).without_challenge();
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(alone.build().expect("a scheme"))
        .build();
    let router = GuardedRouter::<()>::new().route("/read", get(read));
    assert!(router.protect(space.expect("a space")).is_err());
}

#[tokio::test]
async fn cookie_carries_a_token() {
    let app = of(rsa_verifier().in_cookie(COOKIE));
    let token = rs256(json!({}));
    let other = rs256(json!({ "sub": "bob" }));
    let several = |values: &[&str]| -> Lines {
        let pairs = values.iter().map(|value| format!("{COOKIE}={value}"));
        let line = pairs.collect::<Vec<_>>().join("; ");
        vec![("cookie", line.into_bytes())]
    };
    for (name, lines, expected, is_removed) in [
        ("the token", cookie(&token), 200, false),
        ("none", vec![], 401, false),
        ("expired", cookie(expired()), 401, true),
        ("malformed", cookie("x"), 401, true),
        (
            "invalid",
            cookie(rs256(json!({ "aud": "another" }))),
            401,
            true,
        ),
        ("bound to a key", cookie(bound()), 401, true),
        ("a dead one before", several(&["x", &token]), 200, false),
        ("a dead one after", several(&[&token, "x"]), 200, false),
        ("two live ones", several(&[&token, &other]), 400, true),
        (
            "another name",
            vec![("cookie", format!("token={token}").into_bytes())],
            401,
            false,
        ),
    ] {
        let response = send(&app, "/read", &lines).await;
        assert_eq!(response.status(), expected, "{name}");
        let removal = response.headers().get("set-cookie");
        let removal = removal.map(|value| value.to_str().expect("ASCII"));
        assert_eq!(removal, is_removed.then_some(REMOVAL), "{name}");
        let challenge: &[&str] = if expected == 401 {
            &["Cookie realm=\"api\""]
        } else {
            &[]
        };
        assert_eq!(challenges(&response), challenge, "{name}");
        if expected == 200 {
            assert_eq!(response.headers()["cache-control"], "private", "{name}");
        }
    }
}

/// A scheme of the service, for JWTs in a field of its own.
struct Assertion(Jwt);

impl Scheme for Assertion {
    fn name(&self) -> &str {
        "Assertion"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Field(HeaderName::from_static("x-assertion"))]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        self.0.verify(credentials.value())
    }
}

/// Tokens in these places have no proof of possession beside them.
#[tokio::test]
async fn bound_tokens_are_rejected_everywhere() {
    let jwt = rsa_verifier();
    for (app, field, before) in [
        (of(jwt.in_field(FIELD)), FIELD, ""),
        (of(jwt.in_cookie(COOKIE)), "cookie", "__Host-token="),
        (
            of(jwt.in_subprotocol("bearer")),
            "sec-websocket-protocol",
            "bearer, ",
        ),
        (app(space(Assertion(jwt.clone()))), "x-assertion", ""),
    ] {
        for (token, expected) in [(rs256(json!({})), 200), (bound(), 401)] {
            let lines = vec![(field, format!("{before}{token}").into_bytes())];
            let response = send(&app, "/read", &lines).await;
            assert_eq!(response.status(), expected, "{field}");
        }
    }
}

#[tokio::test]
async fn cookie_beside_explicit_token_is_ignored() {
    let in_cookie = rsa_verifier().in_cookie(COOKIE).build();
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(rsa_verifier()))
        .scheme(in_cookie.expect("a scheme"));
    let app = app(space.build().expect("a space"));
    let token = |subject: &str| rs256(json!({ "sub": subject }));
    for (lines, expected) in [
        ([bearer(token("bob")), cookie(token("ann"))].concat(), "bob"),
        ([bearer(token("bob")), cookie(expired())].concat(), "bob"),
        (cookie(token("ann")), "ann"),
    ] {
        let response = send(&app, "/known", &lines).await;
        assert_eq!(response.status(), 200);
        let identity = text(response).await;
        assert!(identity.contains(expected), "{identity}");
    }
    let rejected = [bearer(expired()), cookie(token("ann"))].concat();
    assert_eq!(send(&app, "/known", &rejected).await.status(), 401);
}

#[tokio::test]
async fn live_cookies_of_schemes_are_ambiguous() {
    let in_cookie = |cookie: &str| {
        let scheme = rsa_verifier().in_cookie(cookie).scheme_name(cookie);
        scheme.build().expect("a scheme")
    };
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(in_cookie("first"))
        .scheme(in_cookie("second"));
    let app = app(space.build().expect("a space"));
    let (live, dead) = (rs256(json!({})), expired());
    for (first, second, status) in [
        (Some(&live), None, 200),
        (None, Some(&live), 200),
        (Some(&live), Some(&dead), 200),
        (Some(&dead), Some(&live), 200),
        (Some(&live), Some(&live), 400),
        (Some(&dead), Some(&dead), 401),
    ] {
        let pairs = [("first", first), ("second", second)].into_iter();
        let pairs = pairs.filter_map(|(name, token)| Some(format!("{name}={}", token?)));
        let jar = pairs.collect::<Vec<_>>().join("; ");
        let lines = vec![("cookie", jar.clone().into_bytes())];
        let response = send(&app, "/read", &lines).await;
        assert_eq!(response.status(), status, "{jar}");
        // Both are live, and removing one would choose the other.
        let removes = response.headers().contains_key("set-cookie");
        assert!(!(removes && status == 400), "{jar}");
    }
}

#[requires(scope = "read")]
async fn change() {}

#[tokio::test]
async fn foreign_pages_cannot_act_with_logins() {
    let app = |scheme: CarriedJwtBuilder| {
        let scheme = scheme.build();
        GuardedRouter::new()
            .route("/", get(read).post(change))
            .protect(space(scheme.expect("a scheme")))
            .expect("in order")
    };
    let trusts = |scheme: CarriedJwtBuilder| {
        let scheme = scheme.trust_origin("https://app.example");
        app(scheme.trust_origin("https://admin.example"))
    };
    let in_cookie = trusts(rsa_verifier().in_cookie(COOKIE));
    let of_gateway = trusts(rsa_verifier().in_gateway_field(FIELD));
    // Only a script can add it, after the service allowed that in response to a preflight request.
    let of_scripts = app(rsa_verifier().in_field(FIELD));
    let token = rs256(json!({}));
    let cookie = format!("{COOKIE}={token}");
    let site = |site| ("sec-fetch-site", site);
    let origin = |origin| ("origin", origin);
    let websocket = ("upgrade", "websocket");
    for (method, fields, expected) in [
        (Method::POST, &[site("same-origin")][..], 200),
        (Method::POST, &[site("same-site")], 401),
        (Method::POST, &[site("cross-site")], 401),
        (Method::POST, &[origin("https://shop.example")], 200),
        (Method::POST, &[origin("https://evil.example")], 401),
        (
            Method::POST,
            &[site("cross-site"), origin("https://app.example")],
            200,
        ),
        (
            Method::POST,
            &[site("cross-site"), origin("https://admin.example")],
            200,
        ),
        (Method::POST, &[], 200),
        (Method::GET, &[site("cross-site")], 200),
        (Method::GET, &[site("cross-site"), websocket], 401),
    ] {
        for (app, field, value, expected) in [
            (&in_cookie, "cookie", &cookie, expected),
            (&of_gateway, FIELD, &token, expected),
            (&of_scripts, FIELD, &token, 200),
        ] {
            let mut request = Request::builder()
                .method(&method)
                .uri("/")
                .header("host", "shop.example")
                .header(field, value);
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let request = request.body(Body::empty()).expect("a request");
            let Ok(response) = app.clone().oneshot(request).await;
            assert_eq!(response.status(), expected, "{field} {method} {fields:?}");
            // A page of another origin cannot log its visitors out.
            assert!(!response.headers().contains_key("set-cookie"), "{fields:?}");
        }
    }
}

#[tokio::test]
async fn a_login_page_is_for_navigations() {
    let app = of(rsa_verifier().in_cookie(COOKIE).login_page("/login"));
    for (mode, lines, expected) in [
        ("navigate", vec![], 303),
        ("navigate", cookie(expired()), 303),
        ("navigate", cookie(rs256(json!({}))), 200),
        ("cors", vec![], 401),
    ] {
        let lines = [lines, vec![("sec-fetch-mode", mode.into())]].concat();
        let response = send(&app, "/read", &lines).await;
        assert_eq!(response.status(), expected, "{mode} {lines:?}");
        if expected == 303 {
            assert_eq!(response.headers()["location"], "/login?next=%2Fread");
        }
    }
}

#[requires(acr = "phr")]
async fn strong_login() {}

#[tokio::test]
async fn challenge_requests_a_stronger_login() {
    let scheme = rsa_verifier().in_cookie(COOKIE).scheme_name("Web").build();
    let app = GuardedRouter::new()
        .route("/", get(strong_login))
        .protect(space(scheme.expect("a scheme")))
        .expect("in order");
    let response = send(&app, "/", &cookie(rs256(json!({})))).await;
    assert_eq!(response.status(), 401);
    let expected =
        "Web realm=\"api\", error=\"insufficient_user_authentication\", acr_values=\"phr\"";
    assert_eq!(challenges(&response), [expected]);
    assert!(!response.headers().contains_key("set-cookie"));
    let strong = cookie(rs256(json!({ "acr": "phr" })));
    assert_eq!(send(&app, "/", &strong).await.status(), 200);

    // A password is no stronger login.
    let beside = ProtectionSpace::builder()
        .realm("api")
        .scheme(Basic::new(async |_, _| Caller::rejected()))
        .scheme(rsa_verifier().in_cookie(COOKIE).build().expect("a scheme"));
    let app = GuardedRouter::new()
        .route("/", get(strong_login))
        .protect(beside.build().expect("a space"))
        .expect("in order");
    let response = send(&app, "/", &cookie(rs256(json!({})))).await;
    let expected = expected.replace("Web", "Cookie");
    assert_eq!(challenges(&response), [expected]);
}

#[tokio::test]
async fn policies_refer_to_name_of_scheme() {
    #[requires(authenticated, schemes("JWT"))]
    async fn gateway_only() {}
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(rsa_verifier().in_field(FIELD).build().expect("a scheme"))
        .scheme(rsa_verifier().in_cookie(COOKIE).build().expect("a scheme"));
    let app = GuardedRouter::new()
        .route("/", get(gateway_only))
        .protect(space.build().expect("a space"))
        .expect("in order");
    let token = rs256(json!({}));
    let field = vec![(FIELD, token.clone().into_bytes())];
    assert_eq!(send(&app, "/", &field).await.status(), 200);
    let response = send(&app, "/", &cookie(&token)).await;
    assert_eq!(challenges(&response), ["JWT realm=\"api\""]);
}

#[test]
fn invalid_place_is_a_build_error() {
    let jwt = rsa_verifier();
    let no_origin = TrustedOrigins::default().trust("app.example");
    for (scheme, error) in [
        (jwt.in_field(""), CarriedJwtError::Field(String::new())),
        (
            jwt.in_gateway_field("a b"),
            CarriedJwtError::Field("a b".to_owned()),
        ),
        (
            jwt.in_field("a b"),
            CarriedJwtError::Field("a b".to_owned()),
        ),
        (
            jwt.in_field("Authorization"),
            CarriedJwtError::Field("Authorization".to_owned()),
        ),
        (
            jwt.in_field("Sec-WebSocket-Protocol"),
            CarriedJwtError::Field("Sec-WebSocket-Protocol".to_owned()),
        ),
        (
            jwt.in_cookie("a;b"),
            CarriedJwtError::Cookie("a;b".to_owned()),
        ),
        (
            jwt.in_subprotocol("a,b"),
            CarriedJwtError::Subprotocol("a,b".to_owned()),
        ),
        (
            jwt.in_cookie("a").trust_origin("app.example"),
            CarriedJwtError::Origin(no_origin.expect_err("no origin")),
        ),
        (
            jwt.in_field("a").trust_origin("https://app.example"),
            CarriedJwtError::UnusedOrigin,
        ),
    ] {
        assert_eq!(scheme.build().expect_err("an error"), error);
    }
}
