//! Several kinds of tokens under one Bearer scheme, each verified by its own verifier.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::challenge::{Challenge, ChallengeContext, ChallengeError};
use auth_runtime::schemes::{Introspection, Source};
use auth_tests::App;

use crate::schemes::introspection::{Server, active};
use crate::schemes::tokens::{rs256, rsa_verifier};
use crate::schemes::*;

/// A port that nothing listens on.
const CLOSED: &str = "http://127.0.0.1:1";

async fn status(app: &impl App, token: impl AsRef<str>) -> u16 {
    send(app, "/read", &bearer(token)).await.status().as_u16()
}

/// A verifier of the service, with the number of tokens that it was asked about.
fn personal_tokens() -> (Bearer, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let bearer = Bearer::new(move |token| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            match token.as_str() {
                "pat_ann" => Caller::known(Identity::new("ann").with_scopes(["read"])),
                "pat_down" => Caller::unverifiable(),
                _ => Caller::rejected(),
            }
        }
    });
    (bearer, asked)
}

fn unreachable_endpoint() -> Bearer {
    let introspection = Introspection::builder()
        .endpoint(format!("{CLOSED}/introspect"))
        .client_secret("api", "secret")
        .any_audience();
    Bearer::introspection(introspection.build().expect("an endpoint"))
}

fn unreachable_issuer() -> Jwt {
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    let jwt = jwt.jwks_url(format!("{CLOSED}/keys"));
    jwt.build().expect("a verifier")
}

#[tokio::test]
async fn a_prefix_names_the_verifier() {
    let (personal, asked) = personal_tokens();
    let bearer = Bearer::jwt(rsa_verifier()).tokens_with_prefix("pat_", personal);
    let app = app(space(bearer));
    for (token, expected, questions) in [
        ("pat_ann".to_owned(), 200, 1),
        ("pat_mallory".to_owned(), 401, 1),
        ("pat_down".to_owned(), 503, 1),
        // Malformed tokens are not looked up.
        ("pat_ann,".to_owned(), 401, 0),
        ("pat_\"ann".to_owned(), 401, 0),
        ("pat_ann=x".to_owned(), 401, 0),
        (format!("pat_{}", rs256(json!({}))), 401, 1),
        (rs256(json!({})), 200, 0),
        (rs256(json!({ "aud": "another" })), 401, 0),
        ("PAT_ann".to_owned(), 401, 0),
        ("ann".to_owned(), 401, 0),
    ] {
        let before = asked.load(Ordering::SeqCst);
        assert_eq!(status(&app, &token).await, expected, "{token}");
        let number = asked.load(Ordering::SeqCst) - before;
        assert_eq!(number, questions, "{token}");
    }
}

#[tokio::test]
async fn tokens_without_three_parts_are_introspected() {
    let server = Server::start().await;
    let jwt = rs256(json!({}));
    let forged = format!("{}x", rs256(json!({ "aud": "another" })));
    for token in ["opaque", "with.dot", "a.b.c.d.e"] {
        server.says(token, active());
    }
    // The endpoint would accept them.
    for token in [&forged, "a.b.c", "..", "a.b."] {
        server.says(token, active());
    }
    let opaque = Bearer::introspection(server.builder().without_cache().build().unwrap());
    let app = app(space(Bearer::jwt(rsa_verifier()).opaque_tokens(opaque)));
    for (token, expected, questions) in [
        ("opaque", 200, 1),
        ("with.dot", 200, 1),
        ("a.b.c.d.e", 200, 1),
        ("unknown", 401, 1),
        (&jwt, 200, 0),
        (&forged, 401, 0),
        ("a.b.c", 401, 0),
        ("..", 401, 0),
        ("a.b.", 401, 0),
    ] {
        let before = server.questions();
        assert_eq!(status(&app, token).await, expected, "{token}");
        assert_eq!(server.questions() - before, questions, "{token}");
    }
}

#[tokio::test]
async fn outages_of_verifiers_are_separate() {
    let (personal, _) = personal_tokens();
    let endpoint_is_down = Bearer::jwt(rsa_verifier())
        .tokens_with_prefix("pat_", personal)
        .opaque_tokens(unreachable_endpoint());
    let (personal, _) = personal_tokens();
    let issuer_is_down = Bearer::jwt(unreachable_issuer()).tokens_with_prefix("pat_", personal);
    let endpoint_is_down = app(space(endpoint_is_down));
    let issuer_is_down = app(space(issuer_is_down));
    let jwt = rs256(json!({}));
    for (app, token, expected) in [
        (&endpoint_is_down, "opaque", 503),
        (&endpoint_is_down, "pat_ann", 200),
        (&endpoint_is_down, "pat_mallory", 401),
        (&endpoint_is_down, &jwt, 200),
        (&issuer_is_down, &jwt, 503),
        (&issuer_is_down, "pat_ann", 200),
        (&issuer_is_down, "pat_mallory", 401),
    ] {
        assert_eq!(status(app, token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn the_function_receives_the_whole_token() {
    const TOKENS: [&str; 3] = ["dG9rZW4=", "dG9rZW4==", "a.b-c_d~e+f/g"];
    let app = app(space(Bearer::new(async |token: String| {
        TOKENS.contains(&&*token).then(|| Identity::new(token))
    })));
    for token in TOKENS {
        let response = send(&app, "/known", &bearer(token)).await;
        assert_eq!(response.status(), 200, "{token}");
        let identity = text(response).await;
        assert!(
            identity.contains(&format!("subject: {token:?}")),
            "{identity}"
        );
    }
    for token in ["dG9rZW4", "dG9rZW4===", "a.b"] {
        let response = send(&app, "/known", &bearer(token)).await;
        assert_eq!(challenges(&response), [INVALID], "{token}");
    }
}

#[tokio::test]
async fn function_routes_and_first_route_counts() {
    let subject = |name: &'static str| {
        Bearer::new(
            move |_| async move { Caller::known(Identity::new(name).with_scopes(["read"])) },
        )
    };
    let nested = subject("other").tokens_with_prefix("a-nested-", subject("nested"));
    let bearer_of_all = subject("rest")
        .tokens_if(|token| token.len() == 4, subject("four"))
        .tokens_with_prefix("a", nested);
    let app = app(space(bearer_of_all));
    for (token, expected) in [
        ("abcd", "four"),
        ("abc", "other"),
        ("a-nested-one", "nested"),
        ("xyz", "rest"),
    ] {
        let response = send(&app, "/known", &bearer(token)).await;
        let identity = text(response).await;
        assert!(identity.contains(expected), "{token}: {identity}");
    }
}

/// Only the verifier is taken from the scheme of a route.
#[tokio::test]
async fn outer_scheme_decides_places_of_tokens() {
    let everywhere = |bearer: Bearer| bearer.accept_query().accept_form().accept_bare();
    let (inner, _) = personal_tokens();
    let narrow = Bearer::jwt(rsa_verifier()).tokens_with_prefix("pat_", everywhere(inner));
    let (inner, _) = personal_tokens();
    let wide = Bearer::jwt(rsa_verifier()).tokens_with_prefix("pat_", inner);
    let routes = |bearer| {
        let routes = GuardedRouter::new().route("/read", get(read).post(read));
        routes.protect(space(bearer)).expect("routes")
    };
    for (app, expected) in [(routes(narrow), 401), (routes(everywhere(wide)), 200)] {
        assert_eq!(status(&app, "pat_ann").await, 200);
        let in_query = send(&app, "/read?access_token=pat_ann", &vec![]).await;
        assert_eq!(in_query.status(), expected);
        let bare = send(&app, "/read", &authorization("pat_ann")).await;
        assert_eq!(bare.status(), expected);
        let form = Request::post("/read")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("access_token=pat_ann"));
        let in_form = app.clone().oneshot(form.expect("a request")).await;
        assert_eq!(in_form.expect("infallible").status(), expected);
    }
}

#[test]
fn several_token_kinds_have_no_format() {
    let jwt = || Bearer::jwt(rsa_verifier());
    assert_eq!(jwt().format(), Some("JWT"));
    let mixed = jwt().tokens_with_prefix("pat_", personal_tokens().0);
    assert_eq!(mixed.format(), None);
}

/// cargo sends the token of a registry without the name of a scheme.
#[tokio::test]
async fn bare_tokens_are_accepted_on_request() {
    let known = async |token: String| match token.as_str() {
        "cio0123456789" => Caller::known(Identity::new("cargo")),
        _ => Caller::rejected(),
    };
    let basic = || Basic::new(async |user, _| Caller::known(Identity::new(user)));
    let with_basic = |bearer| {
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        app(space.scheme(basic()).build().expect("a space"))
    };
    let bare = with_basic(Bearer::new(known).accept_bare());
    let strict = with_basic(Bearer::new(known));
    let ann = format!("Basic {}", STANDARD.encode("ann:x"));
    for (value, expected, without) in [
        ("cio0123456789", 200, 401),
        ("Bearer cio0123456789", 200, 200),
        (ann.as_str(), 200, 200),
        ("cio9876543210", 401, 401),
        ("Digest cio0123456789", 401, 401),
        ("Bearer", 401, 401),
        ("", 401, 401),
    ] {
        let lines = authorization(value);
        let response = send(&bare, "/known", &lines).await;
        assert_eq!(response.status(), expected, "{value}");
        let response = send(&strict, "/known", &lines).await;
        assert_eq!(response.status(), without, "{value}");
    }
    let two = [authorization("cio0123456789"), authorization(ann.as_str())].concat();
    assert_eq!(send(&bare, "/known", &two).await.status(), 400);
}

/// The scheme of a registry.
struct Registry;

impl Scheme for Registry {
    fn name(&self) -> &str {
        "Cargo"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::BareAuthorization]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::done(match credentials.value() {
            "cio0123" => Caller::known(Identity::new("cargo")),
            _ => Caller::rejected(),
        })
    }

    fn challenge(&self, _: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        let page = "https://registry.example/me";
        Challenge::builder("Cargo")
            .quoted("login_url", page)
            .build()
    }
}

/// The scheme of a registry beside Basic and Bearer, which keep their names in the field.
#[tokio::test]
async fn schemes_of_service_read_bare_tokens() {
    let known = |name: &'static str| std::future::ready(Caller::known(Identity::new(name)));
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Registry)
        .scheme(Bearer::new(move |_| known("bearer")))
        .scheme(Basic::new(move |_, _| known("basic")));
    let app = app(space.build().expect("a space"));
    let ann = format!("Basic {}", STANDARD.encode("ann:x"));
    for (value, status, caller) in [
        ("cio0123", 200, "cargo"),
        (" cio0123 ", 200, "cargo"),
        ("bearer cio0123", 200, "bearer"),
        (ann.as_str(), 200, "basic"),
        ("cio9999", 401, ""),
        ("Cargo cio0123", 401, ""),
        ("Bearer", 401, ""),
        ("Bearer\tcio0123", 401, ""),
        ("cio0123\t", 401, ""),
        ("cio0123,cio0123", 401, ""),
    ] {
        let response = send(&app, "/known", &authorization(value)).await;
        assert_eq!(response.status(), status, "{value}");
        if status == 401 {
            let cargo = "Cargo login_url=\"https://registry.example/me\"";
            assert_eq!(challenges(&response)[0], cargo, "{value}");
        } else {
            assert!(text(response).await.contains(caller), "{value}");
        }
    }
    // A value with a space is not a bare token, so it counts as none: on an unknown path, it is not rejected.
    for (value, status) in [
        ("cio9999", 401),
        ("Digest cio0123", 404),
        ("cio0123 cio0123", 404),
    ] {
        let response = send(&app, "/nowhere", &authorization(value)).await;
        assert_eq!(response.status(), status, "{value}");
    }
}

#[tokio::test]
async fn two_bare_tokens_are_ambiguous() {
    let app = app(space(Registry));
    for (lines, expected) in [
        (authorization("cio0123"), 200),
        (
            [authorization("cio0123"), authorization("cio0123")].concat(),
            400,
        ),
        (
            [authorization("cio0123"), authorization("cio9999")].concat(),
            400,
        ),
        (
            [authorization("cio9999"), authorization("cio0123")].concat(),
            400,
        ),
    ] {
        let response = send(&app, "/known", &lines).await;
        assert_eq!(response.status(), expected, "{lines:?}");
    }
}

/// A client whose token lacks a scope, or whose user lacks a role, needs no other token, so cargo shows its user no page.
#[tokio::test]
async fn cargo_learns_the_page_for_tokens() {
    let bearer = |url: &str| {
        let tokens = Bearer::new(async |token: String| match token.as_str() {
            "cio0123" => Caller::known(Identity::new("cargo")),
            _ => Caller::rejected(),
        });
        tokens.accept_bare().cargo_login_url(url)
    };
    const PAGE: &str = "https://registry.example/me";
    const CARGO: &str = "Cargo login_url=\"https://registry.example/me\"";
    check(
        &app(space(bearer(PAGE))),
        "/read",
        vec![
            row(
                "no token",
                vec![],
                401,
                &["Bearer realm=\"api\", scope=\"read\"", CARGO],
            ),
            row(
                "another token",
                authorization("cio9999"),
                401,
                &[
                    "Bearer realm=\"api\", scope=\"read\", error=\"invalid_token\", \
                     error_description=\"the access token is not valid\"",
                    CARGO,
                ],
            ),
            row(
                "without the scope",
                authorization("cio0123"),
                403,
                &[
                    "Bearer realm=\"api\", scope=\"read\", error=\"insufficient_scope\", \
                     error_description=\"the access token lacks a required scope\"",
                ],
            ),
        ],
    )
    .await;
    check(
        &app(space(bearer(PAGE))),
        "/admin",
        vec![row(
            "without the role",
            authorization("cio0123"),
            403,
            &["Bearer realm=\"api\""],
        )],
    )
    .await;
    for url in ["http://registry.example/me", "/me", ""] {
        let space = ProtectionSpace::builder().realm("api").scheme(bearer(url));
        let error = space.build().expect_err("an invalid URL");
        assert!(matches!(error, SpaceError::Challenge { .. }), "{error}");
    }
}

/// A token that is bound to a key needs a proof of possession, whichever verifier knows it.
#[tokio::test]
async fn every_kind_rejects_bound_tokens() {
    let server = Server::start().await;
    let mut bound = active();
    bound["cnf"] = json!({ "jkt": "x" });
    server.says("free", active());
    server.says("bound", bound);
    let opaque = Bearer::introspection(server.builder().build().unwrap());
    let with_prefix = Bearer::introspection(server.builder().build().unwrap());
    let bearer = Bearer::jwt(rsa_verifier())
        .tokens_with_prefix("pat_", with_prefix)
        .opaque_tokens(opaque);
    let mut bound = active();
    bound["cnf"] = json!({ "x5t#S256": "x" });
    server.says("pat_free", active());
    server.says("pat_bound", bound);
    let app = app(space(bearer));
    for (token, expected) in [
        (rs256(json!({})), 200),
        (rs256(json!({ "cnf": { "jkt": "x" } })), 401),
        ("free".to_owned(), 200),
        ("bound".to_owned(), 401),
        ("pat_free".to_owned(), 200),
        ("pat_bound".to_owned(), 401),
    ] {
        assert_eq!(status(&app, &token).await, expected, "{token}");
    }
}

/// No proof of possession is beside a token in a query or in a form either.
#[tokio::test]
async fn queries_and_forms_reject_bound_tokens() {
    let space = space(Bearer::jwt(rsa_verifier()).accept_query().accept_form());
    let app = GuardedRouter::new()
        .route("/read", get(read).post(read))
        .protect(space)
        .expect("routes");
    for (token, expected) in [
        (rs256(json!({})), 200),
        (rs256(json!({ "cnf": { "jkt": "x" } })), 401),
        (rs256(json!({ "cnf": { "x5t#S256": "x" } })), 401),
    ] {
        let in_query = send(&app, &format!("/read?access_token={token}"), &vec![]).await;
        assert_eq!(in_query.status(), expected, "{token}");
        let form = Request::post("/read")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(format!("access_token={token}")));
        let in_form = app.clone().oneshot(form.expect("a request")).await;
        assert_eq!(in_form.expect("infallible").status(), expected, "{token}");
    }
}
