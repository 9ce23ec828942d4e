//! Several schemes, schemes of a service, and the rendering of denials.

use std::time::Duration;

use auth_runtime::challenge::{ChallengeContext, ErrorCode};
use auth_runtime::routing::post;
use auth_runtime::schemes::{ProxyIdentity, Source};
use http::HeaderName;

use crate::schemes::tokens::*;
use crate::schemes::*;
#[tokio::test]
async fn several_schemes_are_offered_in_order() {
    const KEY: &str = "k-4f1c0b6e9a8d47d2";
    let keys = ApiKeys::builder().key(KEY, Identity::new("billing"));
    let basic_verifier = Basic::new(|user, password| async move {
        match (user.as_str(), password.as_str()) {
            ("ann", "secret") => Caller::known(Identity::new("ann")),
            ("down", _) => Caller::unverifiable(),
            _ => Caller::rejected(),
        }
    });
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(rsa_verifier()))
        .scheme(basic_verifier)
        .scheme(keys.build().expect("keys"))
        .build()
        .expect("a space");
    let app = app(space);
    let key = || -> Lines { vec![("x-api-key", KEY.into())] };
    let good = || bearer(rs256(json!({})));
    check(
        &app,
        "/known",
        vec![
            row(
                "nothing",
                vec![],
                401,
                &[BEARER, BASIC, "ApiKey realm=\"api\""],
            ),
            row("a token", good(), 200, &[]),
            row("a login", basic("ann:secret"), 200, &[]),
            row("a key", key(), 200, &[]),
            row(
                "a bad token",
                bearer("x"),
                401,
                &[MALFORMED, BASIC, "ApiKey realm=\"api\""],
            ),
            row(
                "a bad login",
                basic("ann:x"),
                401,
                &[BEARER, BASIC, "ApiKey realm=\"api\""],
            ),
            row("a token and a key", [good(), key()].concat(), 400, &[TWICE]),
            row(
                "a login and a key",
                [basic("ann:secret"), key()].concat(),
                400,
                &[TWICE],
            ),
            row(
                "a token and a login",
                [good(), basic("ann:secret")].concat(),
                400,
                &[TWICE],
            ),
            row("nobody can say", basic("down:x"), 503, &[]),
        ],
    )
    .await;
    check(
        &app,
        "/read",
        vec![
            row(
                "no scope, but no token either",
                basic("ann:secret"),
                403,
                &[],
            ),
            row("a key has no scope to ask for", key(), 403, &[]),
        ],
    )
    .await;
}

#[tokio::test]
async fn outage_is_not_401() {
    let bearer_verifier = Bearer::new(|token| async move {
        Caller::Unverifiable {
            retry_after: match token.as_str() {
                "soon" => Some(Duration::from_secs(17)),
                "now" => Some(Duration::from_millis(20)),
                "late" => Some(Duration::from_secs(7200)),
                _ => None,
            },
        }
    });
    let app = app(space(bearer_verifier));
    for (token, seconds) in [
        ("soon", "17"),
        ("now", "1"),
        ("late", "7200"),
        ("whenever", "5"),
    ] {
        for target in ["/known", "/nowhere"] {
            let response = send(&app, target, &bearer(token)).await;
            assert_eq!(response.status(), 503, "{target}");
            assert_eq!(response.headers()["retry-after"], seconds, "{target}");
            assert_eq!(challenges(&response), Vec::<&str>::new(), "{target}");
        }
    }
}

/// A scheme of a service, with a space that is built in a few lines.
struct Badge;

impl Scheme for Badge {
    fn name(&self) -> &str {
        "Badge"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let late = credentials.headers().contains_key("x-late");
        Verification::done(match credentials.value() {
            "4711" if late => Caller::Rejected(Rejection::Expired),
            "4711" => Caller::known(Identity::new("gate")),
            _ => Caller::rejected(),
        })
    }
}

#[tokio::test]
async fn a_scheme_of_ones_own() {
    let late = [authorization("Badge 4711"), vec![("x-late", b"1".to_vec())]].concat();
    let rows = vec![
        row("absent", vec![], 401, &["Badge realm=\"api\""]),
        row("good", authorization("badge 4711"), 200, &[]),
        row(
            "wrong",
            authorization("Badge 4712"),
            401,
            &["Badge realm=\"api\""],
        ),
        row("late", late, 401, &["Badge realm=\"api\""]),
    ];
    check(&app(space(Badge)), "/known", rows).await;
}

#[tokio::test]
async fn challenges_invalid_for_requests_are_replaced() {
    const PLAIN: &str = "Described realm=\"api\"";
    let rows = vec![
        row("absent", vec![], 401, &[PLAIN]),
        row("rejected", authorization("Described 1"), 401, &[PLAIN]),
    ];
    check(
        &app(space(Described(Source::Authorization))),
        "/known",
        rows,
    )
    .await;
}

#[tokio::test]
async fn replaced_challenge_has_realm_of_handler() {
    #[requires(authenticated, realm = "other")]
    async fn other() {}
    const PLAIN: &str = "Described realm=\"other\"";
    let rows = vec![
        row("absent", vec![], 401, &[PLAIN]),
        row("rejected", authorization("Described 1"), 401, &[PLAIN]),
    ];
    let router = GuardedRouter::new().route("/other", get(other));
    let app = router
        .protect(space(Described(Source::Authorization)))
        .expect("a router");
    check(&app, "/other", rows).await;
}

/// A scheme of this name that reads this place.
struct Placed(&'static str, Source);

impl Scheme for Placed {
    fn name(&self) -> &str {
        self.0
    }

    fn sources(&self) -> Vec<Source> {
        vec![self.1.clone()]
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }
}

fn place_twice(earlier: &str, later: &str) -> Option<SpaceError> {
    let [earlier, later] = [earlier, later].map(str::to_owned);
    Some(SpaceError::PlaceTwice { earlier, later })
}

#[test]
fn invalid_space_is_a_build_error() {
    struct Named(&'static str);
    impl Scheme for Named {
        fn name(&self) -> &str {
            self.0
        }
        fn verify(&self, _: &Credentials<'_>) -> Verification {
            Verification::done(Caller::rejected())
        }
    }
    let build = |space: auth_runtime::ProtectionSpaceBuilder| space.build().err();
    let builder = || ProtectionSpace::builder().realm("api");
    assert_eq!(build(builder().scheme(Badge)), None);
    assert_eq!(build(builder()), Some(SpaceError::NoScheme));
    assert_eq!(
        build(ProtectionSpace::builder().scheme(Badge)),
        Some(SpaceError::NoRealm)
    );
    assert_eq!(
        build(builder().scheme(Badge).scheme(Named("BADGE"))),
        Some(SpaceError::SchemeTwice("BADGE".to_owned()))
    );
    // Two schemes that read one field, each in its way.
    let keys = ApiKeys::builder().key("a key of sixteen bytes", Identity::new("app"));
    let keys = keys
        .field("X-User")
        .build()
        .expect("the scheme is in order");
    let proxy = ["10.0.0.7/32".parse().expect("a network")];
    let proxy = ProxyIdentity::builder(proxy).user_field("x-user").build();
    let proxy = proxy.expect("the scheme is in order");
    assert_eq!(
        build(builder().scheme(keys).scheme(proxy)),
        place_twice("ApiKey", "Proxy")
    );
    let whole = Described(Source::Field(http::header::AUTHORIZATION));
    let bearer = Bearer::new(async |_| Caller::rejected());
    assert_eq!(
        build(builder().scheme(bearer).scheme(whole)),
        place_twice("Bearer", "Described")
    );
    let name = || "x-place".to_owned();
    let field = || HeaderName::from_static("x-place");
    for source in [
        Source::BareAuthorization,
        Source::Field(field()),
        Source::TextField(field()),
        Source::Cookie(name()),
        Source::Subprotocol(name()),
        Source::Query(name()),
        Source::Form(name()),
        Source::Connection(None),
        Source::Connection(Some(field())),
    ] {
        let reads = |name| Placed(name, source.clone());
        assert_eq!(
            build(builder().scheme(reads("One")).scheme(reads("Other"))),
            place_twice("One", "Other"),
            "{source:?}"
        );
    }
    for (realm, scheme) in [
        ("two\r\nlines", "Badge"),
        ("Übung", "Badge"),
        ("api scope=all", "Badge"),
        ("api", "two words"),
        ("api", ""),
    ] {
        let error = ProtectionSpace::builder()
            .realm(realm)
            .scheme(Named(scheme))
            .build();
        let error = error.expect_err("an error");
        assert!(
            matches!(error, SpaceError::Challenge { .. }),
            "{realm:?} {scheme:?}: {error}"
        );
    }
}

#[tokio::test]
async fn denials_use_the_requested_language() {
    let app = app(space(Badge));
    for (accept, content_type, begins) in [
        (
            None,
            "application/problem+json",
            "{\"type\":\"about:blank\"",
        ),
        (
            Some("text/html,*/*;q=0.8"),
            "text/html; charset=utf-8",
            "<!doctype html>",
        ),
        (
            Some("text/plain"),
            "text/plain; charset=utf-8",
            "401 Unauthorized\n",
        ),
        (
            Some("image/png"),
            "application/problem+json",
            "{\"type\":\"about:blank\"",
        ),
    ] {
        let lines = accept.map(|accept| ("accept", accept.as_bytes().to_vec()));
        let lines = lines.into_iter().collect();
        for (target, status) in [("/known", 401), ("/nowhere", 404)] {
            let response = send(&app, target, &lines).await;
            assert_eq!(response.status(), status);
            assert_eq!(
                response.headers()["content-type"],
                content_type,
                "{accept:?}"
            );
            let body = text(response).await;
            if status == 401 {
                assert!(body.starts_with(begins), "{accept:?}: {body}");
            }
            if content_type.ends_with("json") {
                let problem: Value = serde_json::from_str(&body).expect("JSON");
                assert_eq!(problem["status"], status);
            }
        }
    }
}

#[tokio::test]
async fn own_bodies_keep_status_and_challenge() {
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Badge)
        .render(|denial, request| {
            let kind = match denial.denial() {
                Denial::Unauthenticated { .. } => "who are you",
                _ => "no",
            };
            let body = format!("{kind}? {} {}", request.method(), request.uri());
            DenialBody::new(HeaderValue::from_static("text/x-mine"), body)
        });
    let app = app(space.build().expect("a space"));
    for (target, status, body, challenge) in [
        (
            "/known",
            401,
            "who are you? GET /known",
            &["Badge realm=\"api\""][..],
        ),
        ("/nowhere", 404, "no? GET /nowhere", &[]),
    ] {
        let response = send(&app, target, &vec![]).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "text/x-mine");
        assert_eq!(challenges(&response), challenge);
        assert_eq!(text(response).await, body);
    }
}

/// A scheme whose fields name the error and the scopes of the challenge.
struct Marking;

impl Scheme for Marking {
    fn name(&self) -> &str {
        "Marking"
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::known(Identity::new("ann")))
    }

    fn is_oauth(&self) -> bool {
        true
    }

    fn supports_step_up(&self) -> bool {
        true
    }

    fn fields(&self, context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let value = match context.error() {
            Some(ErrorCode::InsufficientUserAuthentication { .. }) => "login",
            Some(_) => "other",
            None => "none",
        };
        let name = HeaderName::from_static("x-error");
        let scopes = HeaderValue::from_str(&context.scopes().join(" "));
        vec![
            (name, HeaderValue::from_static(value)),
            (HeaderName::from_static("x-scopes"), scopes.expect("names")),
        ]
    }
}

#[tokio::test]
async fn scheme_fields_receive_error_and_scopes() {
    #[requires(max_age = "1m")]
    async fn fresh() {}

    let routes = GuardedRouter::new()
        .route("/fresh", get(fresh))
        .route("/read", get(read));
    let app = routes.protect(space(Marking)).expect("a router");
    for (path, lines, error, scopes) in [
        ("/fresh", authorization("Marking x"), "login", ""),
        ("/fresh", vec![], "none", ""),
        ("/read", authorization("Marking x"), "other", "read"),
        ("/read", vec![], "none", "read"),
    ] {
        let response = send(&app, path, &lines).await;
        assert_eq!(response.headers()["x-error"], error, "{path}");
        assert_eq!(response.headers()["x-scopes"], scopes, "{path}");
    }
}

/// The body is read for one scheme, and the others do not see it.
#[tokio::test]
async fn bodies_are_for_signing_schemes() {
    /// Accepts `body` or nothing, as its credentials say.
    struct Signed(&'static str, bool);

    impl Scheme for Signed {
        fn name(&self) -> &str {
            self.0
        }

        fn sources(&self) -> Vec<Source> {
            vec![Source::Field(self.0.parse().expect("a name"))]
        }

        fn verify(&self, credentials: &Credentials<'_>) -> Verification {
            let body = credentials.body().map(String::from_utf8_lossy);
            Verification::done(
                if body.unwrap_or_default() == credentials.value().trim_matches('-') {
                    Caller::known(Identity::new(self.0))
                } else {
                    Caller::rejected()
                },
            )
        }

        fn signs_body(&self) -> bool {
            self.1
        }
    }

    #[requires(authenticated)]
    async fn name(guard: Guard) -> String {
        guard.identity().subject().to_owned()
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const TOKEN: &str = "access_token=token";
    let tokens = Bearer::new(async |_token| Caller::known(Identity::new("token")));
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(tokens.accept_form())
        .scheme(Signed("signed", true))
        .scheme(Signed("plain", false));
    let app = GuardedRouter::new().route("/", post(name));
    let app = app
        .protect(space.build().expect("a space"))
        .expect("routes");
    for (content_type, field, value, expected) in [
        (FORM, "x-none", "-", "token"),
        // The form of a signed request has a token beside the signature.
        (FORM, "signed", TOKEN, "400"),
        // A body of another type has no token.
        ("text/plain", "signed", TOKEN, "signed"),
        ("text/plain", "signed", "another", "401"),
        ("text/plain", "plain", "-", "plain"),
        ("text/plain", "plain", TOKEN, "401"),
    ] {
        let request = Request::post("/")
            .header("content-type", content_type)
            .header(field, value)
            .body(Body::from(TOKEN));
        let response = app.clone().oneshot(request.expect("a request")).await;
        let response = response.expect("infallible");
        let found = match response.status().as_u16() {
            200 => text(response).await,
            status => status.to_string(),
        };
        assert_eq!(found, expected, "{content_type} {field} {value}");
    }
    // A form that is read for its token is not the body of a scheme that signs none.
    let request = Request::post("/")
        .header("content-type", FORM)
        .header("plain", "-")
        .body(Body::from("other=1"));
    let response = app.oneshot(request.expect("a request")).await;
    assert_eq!(text(response.expect("infallible")).await, "plain");
}
