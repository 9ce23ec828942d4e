//! The offered and the accepted credentials of a protection space: the schemes, their order, their
//! audience, and the place in a request.

use auth_runtime::resource::{ProtectedResource, ResourceError, UrlProblem};
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{ApiKeys, Basic, Bearer, Credentials, Jwt, Scheme, Verification};
use auth_runtime::testing::{assert_hidden, with_caller, with_identity};
use auth_runtime::{
    Caller, GuardedRouter, Identity, ProtectionSpace, ProtectionSpaceBuilder, SpaceError,
    UnknownPaths, public, requires,
};
use auth_tests::{App, space, space_builder, token, verifier};
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::{Form, Json, Router};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_http::cors::CorsLayer;

const BEARER: &str = "Bearer realm=\"api\"";
const BASIC: &str = "Basic realm=\"api\", charset=\"UTF-8\"";

#[requires(authenticated)]
async fn known() -> &'static str {
    "known"
}

#[requires(scope = "read")]
async fn read() -> &'static str {
    "read"
}

fn basic() -> Basic {
    Basic::new(
        async |user, password| match (user.as_str(), password.as_str()) {
            ("ann", "secret") => Caller::known(Identity::new("ann")),
            _ => Caller::rejected(),
        },
    )
}

fn jwt() -> Jwt {
    verifier()
}

fn keys() -> ApiKeys {
    let keys = ApiKeys::builder().key("a-key-of-a-length-that-is-accepted", Identity::new("job"));
    keys.build().expect("keys")
}

fn request(target: &str) -> Request {
    Request::get(target).body(Body::empty()).expect("a request")
}

fn with(target: &str, fields: &[(&str, &str)]) -> Request {
    let mut builder = Request::get(target);
    for (name, value) in fields {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::empty()).expect("a request")
}

fn good() -> String {
    format!("Bearer {}", token(json!({ "scope": "read" })))
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn challenges(&self) -> Vec<&str> {
        let lines = self.headers.get_all(WWW_AUTHENTICATE).iter();
        lines
            .map(|line| line.to_str().expect("visible ASCII"))
            .collect()
    }

    fn cache_control(&self) -> &str {
        let mut lines = self.headers.get_all(CACHE_CONTROL).iter();
        let line = lines
            .next()
            .map_or("", |line| line.to_str().expect("visible ASCII"));
        assert!(lines.next().is_none(), "one line");
        line
    }
}

async fn send(app: &impl App, request: Request) -> Answer {
    let response = app.clone().oneshot(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

// ---- which schemes ----

fn both() -> ProtectionSpaceBuilder {
    space_builder().scheme(basic())
}

#[requires(authenticated, schemes(Basic), realm = "vault")]
async fn by_password() -> &'static str {
    "by password"
}

#[requires(scope = "read", schemes(Bearer))]
async fn by_token() -> &'static str {
    "by token"
}

#[requires(authenticated, schemes(Basic), hide_as = 404)]
async fn hidden_by_password() -> &'static str {
    "hidden"
}

#[requires(any(network = "192.0.2.0/24", scope = "x"), schemes(Basic))]
async fn narrow_office(guard: auth_runtime::Guard) -> String {
    format!("{:?}", guard.identity().map(Identity::subject))
}

#[tokio::test]
async fn a_handler_may_accept_fewer_schemes_and_name_a_realm_of_its_own() {
    let app = GuardedRouter::new()
        .route("/password", get(by_password))
        .route("/token", get(by_token))
        .protect(both().build().unwrap())
        .unwrap();
    let password = "Basic YW5uOnNlY3JldA==";
    let bad_password = "Basic YW5uOndyb25n";
    let vault = "Basic realm=\"vault\", charset=\"UTF-8\"";
    let read = "Bearer realm=\"api\", scope=\"read\"";
    for (target, authorization, status, challenges) in [
        ("/password", "", 401, vec![vault]),
        ("/password", password, 200, vec![]),
        ("/password", bad_password, 401, vec![vault]),
        // Credentials of a scheme that is not accepted count as none, valid and invalid ones.
        ("/password", &good(), 401, vec![vault]),
        ("/password", "Bearer nonsense", 401, vec![vault]),
        ("/token", "", 401, vec![read]),
        ("/token", &good(), 200, vec![]),
        ("/token", password, 401, vec![read]),
        ("/token", bad_password, 401, vec![read]),
    ] {
        let answer = send(&app, with(target, &[("authorization", authorization)])).await;
        assert_eq!(answer.status, status, "{target} {authorization}");
        assert_eq!(answer.challenges(), challenges, "{target} {authorization}");
    }
}

#[tokio::test]
async fn fewer_schemes_do_not_show_what_is_hidden() {
    for unknown_paths in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let space = both().unknown_paths(unknown_paths).build().unwrap();
        let app = GuardedRouter::new()
            .route("/hidden", get(hidden_by_password).post(by_token))
            .protect(space)
            .unwrap();
        for authorization in [
            "",
            "Basic YW5uOndyb25n",
            &good(),
            "Bearer nonsense",
            "Hawk x",
        ] {
            let fields = [("authorization", authorization)];
            assert_hidden(app.clone(), with("/hidden", &fields)).await;
            let mut posted = with("/hidden", &fields);
            *posted.method_mut() = Method::POST;
            if authorization != good() {
                assert_hidden(app.clone(), posted).await;
            }
        }
        let password = [("authorization", "Basic YW5uOnNlY3JldA==")];
        assert_eq!(send(&app, with("/hidden", &password)).await.status, 200);
    }
}

#[tokio::test]
async fn nobody_is_known_by_a_scheme_that_is_not_accepted() {
    let app = GuardedRouter::new()
        .route("/", get(narrow_office))
        .protect(both().build().unwrap())
        .unwrap();
    for (authorization, body) in [
        (good().as_str(), "None"),
        ("Basic YW5uOnNlY3JldA==", "Some(\"ann\")"),
    ] {
        let mut request = with("/", &[("authorization", authorization)]);
        let address: std::net::SocketAddr = "192.0.2.7:1".parse().unwrap();
        request.extensions_mut().insert(address);
        let answer = send(&app, request).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, body));
    }
}

#[tokio::test]
async fn a_test_may_say_who_calls_whatever_the_handler_accepts() {
    let app = GuardedRouter::new()
        .route("/password", get(by_password))
        .route("/token", get(by_token))
        .protect(both().build().unwrap())
        .unwrap();
    for (target, status) in [("/password", 200), ("/token", 403)] {
        let request = with_identity(request(target), Identity::new("ann"));
        assert_eq!(send(&app, request).await.status, status, "{target}");
    }
}

/// A 401 without a usable challenge is not allowed.
#[tokio::test]
async fn on_a_plain_router_a_scheme_that_the_space_lacks_is_closed() {
    let app = Router::new()
        .route("/password", axum::routing::get(by_password))
        .layer(axum::Extension(space()));
    for authorization in ["", "Basic YW5uOnNlY3JldA==", &good()] {
        let answer = send(&app, with("/password", &[("authorization", authorization)])).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (500, ""));
    }
}

#[test]
fn a_scheme_that_the_space_lacks_is_found_when_the_router_is_protected() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/password", get(by_password))
        .route("/token", get(by_token));
    let error = router.protect(space()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`integration::offers::by_password` accepts the scheme `Basic`, which the protection space does not; it \
         accepts `Bearer`",
    );
}

// ---- in which order, and to whom ----

#[tokio::test]
async fn a_script_is_not_made_to_open_a_prompt() {
    let app = |builder: ProtectionSpaceBuilder| {
        let routes = GuardedRouter::new().route("/", get(known));
        routes.protect(builder.build().unwrap()).unwrap()
    };
    let bad = "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"the access token is malformed\"";
    for (mode, challenges) in [
        (None, vec![BEARER, BASIC]),
        (Some("navigate"), vec![BEARER, BASIC]),
        (Some("cors"), vec![BEARER]),
        (Some("same-origin"), vec![BEARER]),
        (Some("no-cors"), vec![BEARER]),
        (Some("websocket"), vec![BEARER]),
    ] {
        let fields: Vec<_> = mode
            .map(|mode| ("sec-fetch-mode", mode))
            .into_iter()
            .collect();
        let answer = send(&app(both()), with("/", &fields)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.challenges()),
            (401, challenges),
            "{mode:?}"
        );
        // The omission of challenges is disabled.
        let answer = send(&app(both().prompt_scripts(true)), with("/", &fields)).await;
        assert_eq!(answer.challenges(), [BEARER, BASIC], "{mode:?}");
        // A 401 requires a challenge (RFC 9110 §11.6.1).
        let alone = ProtectionSpace::builder().realm("api").scheme(basic());
        let answer = send(&app(alone), with("/", &fields)).await;
        assert_eq!(answer.challenges(), [BASIC], "{mode:?}");
    }
    let fields = [("sec-fetch-mode", "cors"), ("authorization", "Bearer \"")];
    assert_eq!(
        send(&app(both()), with("/", &fields)).await.challenges(),
        [bad]
    );
    let fields = [
        ("sec-fetch-mode", "cors"),
        ("authorization", "Basic YW5uOndyb25n"),
    ];
    assert_eq!(
        send(&app(both()), with("/", &fields)).await.challenges(),
        [BEARER]
    );
}

#[tokio::test]
async fn challenges_can_share_a_line_for_gateways() {
    let app = GuardedRouter::new()
        .route("/", get(known))
        .protect(both().join_challenges(true).build().unwrap())
        .unwrap();
    let answer = send(&app, request("/")).await;
    assert_eq!(answer.challenges(), [format!("{BEARER}, {BASIC}")]);
}

/// Only a token contains the method of the login, so only tokens are requested. A 401 keeps a
/// challenge nevertheless (RFC 9110 §11.6.1).
#[tokio::test]
async fn logging_in_again_is_asked_of_the_schemes_that_can_tell() {
    #[requires(acr = "mfa")]
    async fn strong() {}

    let challenges = async |builder: ProtectionSpaceBuilder| {
        let app = GuardedRouter::new().route("/", get(strong));
        let app = app.protect(builder.build().unwrap()).unwrap();
        let password = [("authorization", "Basic YW5uOnNlY3JldA==")];
        let answer = send(&app, with("/", &password)).await;
        assert_eq!(answer.status, 401);
        answer.challenges().join("; ")
    };
    assert_eq!(
        challenges(both()).await,
        "Bearer realm=\"api\", error=\"insufficient_user_authentication\", acr_values=\"mfa\", \
         error_description=\"the login is too old or too weak for this\"",
    );
    let alone = ProtectionSpace::builder().realm("api").scheme(basic());
    assert_eq!(challenges(alone).await, BASIC);
}

// ---- what the resource says of itself ----

/// `Authorization: Lock …`. Its callers prove possession of a key.
struct Lock;

impl Scheme for Lock {
    fn name(&self) -> &str {
        "Lock"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let ann = Identity::new("ann").with_scopes(["read"]);
        Verification::done(Caller::known(match credentials.value() {
            "key" => ann.with_sender_constraint(),
            _ => ann,
        }))
    }

    fn constrains_sender(&self) -> bool {
        true
    }
}

#[requires(sender_constrained, scope = "read")]
async fn bound() -> &'static str {
    "bound"
}

#[requires(any(sender_constrained, role = "admin"))]
async fn bound_or_admin() -> &'static str {
    "bound, or an admin"
}

#[requires(sender_constrained, hide_as = 404)]
async fn bound_and_hidden() -> &'static str {
    "bound"
}

/// Rule 3b.
#[tokio::test]
async fn bound_credentials_are_asked_for_of_the_schemes_that_bind_them() {
    let space = both().scheme(Lock).build().unwrap();
    let app = GuardedRouter::new()
        .route("/bound", get(bound))
        .route("/either", get(bound_or_admin))
        .route("/hidden", get(bound_and_hidden))
        .protect(space)
        .unwrap();
    let ann = good();
    let lock = "Lock realm=\"api\"";
    let bearer = ann.as_str();
    // A binding would not help. The scheme of the request reports the missing scope (rule 3c).
    let scopeless = format!("Bearer {}", token(json!({})));
    let insufficient = "Bearer realm=\"api\", scope=\"read\", error=\"insufficient_scope\", \
                        error_description=\"the access token does not grant what is needed\"";
    for (target, authorization, status, challenges) in [
        // A bound token is required, so no other scheme is offered.
        ("/bound", None, 401, vec![lock]),
        ("/either", None, 401, vec![BEARER, BASIC, lock]),
        ("/bound", Some(bearer), 401, vec![lock]),
        ("/either", Some(bearer), 401, vec![lock]),
        ("/bound", Some(&scopeless), 403, vec![insufficient]),
        ("/bound", Some("Lock none"), 401, vec![lock]),
        ("/bound", Some("Lock key"), 200, vec![]),
        ("/either", Some("Lock key"), 200, vec![]),
        ("/hidden", Some(bearer), 404, vec![]),
        ("/hidden", Some("Lock key"), 200, vec![]),
    ] {
        let fields: Vec<_> = authorization
            .map(|value| ("authorization", value))
            .into_iter()
            .collect();
        let answer = send(&app, with(target, &fields)).await;
        assert_eq!(answer.status, status, "{target} {authorization:?}");
        assert_eq!(
            answer.challenges(),
            challenges,
            "{target} {authorization:?}"
        );
    }
}

#[tokio::test]
async fn bound_credentials_are_not_asked_for_where_no_scheme_binds_any() {
    let app = GuardedRouter::new()
        .route("/", get(bound_or_admin))
        .protect(space_builder().build().unwrap())
        .unwrap();
    for (fields, status) in [
        (vec![], 401),
        (vec![("authorization", good())], 403),
        (
            vec![(
                "authorization",
                format!("Bearer {}", token(json!({ "roles": ["admin"] }))),
            )],
            200,
        ),
    ] {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(answer.status, status);
        let expected: &[&str] = if status == 200 { &[] } else { &[BEARER] };
        assert_eq!(answer.challenges(), expected);
    }
}

#[tokio::test]
async fn bound_credentials_that_no_scheme_binds_are_closed() {
    let error = GuardedRouter::<()>::new()
        .route("/", get(bound))
        .route("/either", get(bound_or_admin))
        .protect(both().build().unwrap())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`integration::offers::bound` requires `sender_constrained`, and the protection space has no scheme for it that \
         binds credentials to a key, such as DPoP"
    );
    let space = both().build().unwrap();
    let app = Router::new()
        .route("/", axum::routing::get(bound))
        .layer(axum::Extension(space));
    assert_eq!(send(&app, request("/")).await.status, 500);
}

fn resource() -> ProtectedResource {
    ProtectedResource::builder("https://api.example/v1")
        .authorization_server("https://issuer.example")
        .name("The \"API\"")
        .documentation("https://api.example/docs")
        .build()
        .expect("a resource")
}

const METADATA: &str = "https://api.example/.well-known/oauth-protected-resource/v1";

#[requires(any(scope = "write", all(scope = "read", scope = "edit")))]
async fn write() {}

#[requires(scope = "secret", hide_as = 404, hide_unless = scope("hint"))]
async fn secret() {}

#[public(reason = "a test")]
async fn open() {}

#[tokio::test]
async fn the_resource_is_described_by_the_policies_that_are_mounted() {
    let space = both().resource(resource()).build().unwrap();
    let nested = GuardedRouter::new().route("/deep", get(write));
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .route("/secret", get(secret))
        .route("/open", get(open))
        .nest("/n", nested)
        .protect(space)
        .unwrap();
    let target = "/.well-known/oauth-protected-resource/v1";
    let answer = send(&app, request(target)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
    assert_eq!(answer.cache_control(), "public, max-age=3600");
    // Without the scopes of hidden handlers.
    let document: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(
        document,
        json!({
            "resource": "https://api.example/v1",
            "authorization_servers": ["https://issuer.example"],
            "scopes_supported": ["edit", "read", "write"],
            "bearer_methods_supported": ["header"],
            "resource_name": "The \"API\"",
            "resource_documentation": "https://api.example/docs",
        }),
    );
    // Readable without or with any credentials, and by scripts of every origin.
    for fields in [
        [("authorization", "Bearer nonsense")],
        [("origin", "https://app.example")],
    ] {
        let answer = send(&app, with(target, &fields)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
    }
    let mut preflight = with(
        target,
        &[
            ("origin", "https://app.example"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "mcp-protocol-version"),
        ],
    );
    *preflight.method_mut() = Method::OPTIONS;
    let answer = send(&app, preflight).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.headers["access-control-allow-headers"], "*");
    let mut posted = request(target);
    *posted.method_mut() = Method::POST;
    let answer = send(&app, posted).await;
    assert_eq!(
        (answer.status.as_u16(), answer.cache_control()),
        (405, "no-store")
    );
    // Neither a similar path nor the well-known path without the path of the resource.
    for other in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/v2",
    ] {
        assert_eq!(send(&app, request(other)).await.status, 404);
    }
}

#[tokio::test]
async fn oauth_challenges_point_to_the_document_and_bearer_comes_first() {
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(basic())
        .scheme(keys())
        .scheme(Bearer::jwt(jwt()))
        .resource(resource())
        .build()
        .unwrap();
    let app = GuardedRouter::new()
        .route("/", get(read))
        .protect(space)
        .unwrap();
    let answer = send(&app, request("/")).await;
    let bearer = format!("Bearer realm=\"api\", scope=\"read\", resource_metadata=\"{METADATA}\"");
    assert_eq!(
        answer.challenges(),
        [&bearer, BASIC, "ApiKey realm=\"api\""]
    );
    // Parameters that clients search for precede human-readable texts.
    let answer = send(&app, with("/", &[("authorization", "Bearer \"")])).await;
    assert_eq!(
        answer.challenges()[0],
        format!(
            "Bearer realm=\"api\", scope=\"read\", error=\"invalid_token\", \
             resource_metadata=\"{METADATA}\", error_description=\"the access token is malformed\""
        ),
    );
}

#[test]
fn a_realm_is_needed_unless_the_metadata_stand_in_for_it() {
    let nameless = || ProtectionSpace::builder().scheme(Bearer::jwt(jwt()));
    assert_eq!(nameless().build().unwrap_err(), SpaceError::NoRealm);
    assert!(nameless().resource(resource()).build().is_ok());
    let with_basic = nameless().resource(resource()).scheme(basic());
    assert_eq!(with_basic.build().unwrap_err(), SpaceError::NoRealm);
}

#[test]
fn what_cannot_identify_a_resource_is_refused_by_the_builder() {
    let build = |identifier: &str| {
        let resource =
            ProtectedResource::builder(identifier).authorization_server("https://as.example");
        resource
            .build()
            .map(|resource| resource.metadata_url().to_owned())
    };
    for (identifier, url) in [
        (
            "https://api.example",
            "https://api.example/.well-known/oauth-protected-resource",
        ),
        (
            "https://api.example/",
            "https://api.example/.well-known/oauth-protected-resource",
        ),
        (
            "https://api.example/mcp",
            "https://api.example/.well-known/oauth-protected-resource/mcp",
        ),
        (
            "https://api.example/mcp/",
            "https://api.example/.well-known/oauth-protected-resource/mcp/",
        ),
        (
            "https://api.example:8443/a/b?t=1",
            "https://api.example:8443/.well-known/oauth-protected-resource/a/b?t=1",
        ),
        (
            "https://api.example?t=1",
            "https://api.example/.well-known/oauth-protected-resource?t=1",
        ),
        (
            "http://127.0.0.1:8080/mcp",
            "http://127.0.0.1:8080/.well-known/oauth-protected-resource/mcp",
        ),
        (
            "http://localhost/x",
            "http://localhost/.well-known/oauth-protected-resource/x",
        ),
        (
            "http://[::1]:1/x",
            "http://[::1]:1/.well-known/oauth-protected-resource/x",
        ),
    ] {
        assert_eq!(build(identifier).as_deref(), Ok(url));
    }
    use UrlProblem::{Character, Fragment, NotAbsolute, NotHttps, UserInformation};
    for (identifier, problem) in [
        ("http://api.example/mcp", NotHttps),
        ("http://127.0.0.1.example/", NotHttps),
        ("http://localhost.example/", NotHttps),
        ("ftp://api.example/", NotHttps),
        ("https://api.example/#x", Fragment),
        ("https://ann@api.example/", UserInformation),
        ("/mcp", NotAbsolute),
        ("api.example", NotAbsolute),
        ("", NotAbsolute),
        ("https://api.example/a b", Character(' ')),
        ("https://api.example/\"", Character('"')),
        ("https://api.example/{id}", Character('{')),
        ("https://api.example/ü", Character('ü')),
        ("https://api.example/\r\n", Character('\r')),
    ] {
        // The part before the `@` may be a password.
        let url = identifier.replace("ann@", "…@");
        assert_eq!(build(identifier), Err(ResourceError::Url { url, problem }));
        // An issuer has to be a URL as well.
        let resource =
            ProtectedResource::builder("https://api.example").authorization_server(identifier);
        assert!(resource.build().is_err(), "{identifier}");
    }
    let nobody = ProtectedResource::builder("https://api.example").build();
    assert_eq!(nobody.unwrap_err(), ResourceError::NoAuthorizationServer);
}

// ---- where the token is ----

#[public(reason = "the answer of a path that was never there")]
async fn echo(Form(form): Form<Vec<(String, String)>>) -> Json<Vec<(String, String)>> {
    Json(form)
}

#[requires(authenticated)]
async fn submit(body: Bytes) -> Bytes {
    body
}

#[requires(authenticated, hide_as = 404)]
async fn hidden_submit() -> &'static str {
    "submitted"
}

#[public(reason = "anybody may")]
async fn open_submit(body: Bytes) -> Bytes {
    body
}

fn lenient() -> ProtectionSpace {
    let bearer = Bearer::jwt(jwt()).accept_query().accept_form();
    let space = ProtectionSpace::builder().realm("api").scheme(bearer);
    space.build().expect("a space")
}

fn form(target: &str, body: impl Into<Body>) -> Request {
    let request = Request::post(target).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(body.into()).expect("a request")
}

#[tokio::test]
async fn a_token_in_a_form_is_found_where_it_was_asked_for_and_the_handler_gets_the_form() {
    let app = GuardedRouter::new()
        .route("/submit", post(submit).put(submit).get(known))
        .route("/hidden", post(hidden_submit))
        .route("/open", post(open_submit))
        .fallback(echo)
        .protect(lenient())
        .unwrap();
    let token = token(json!({}));
    let body = format!("a=1&access_token={token}&b=%C3%BC");
    let answer = send(&app, form("/submit", body.clone())).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (200, body.as_str())
    );
    // A cache does not know that a token was evaluated.
    assert_eq!(answer.cache_control(), "private");

    let mut put = form("/submit", body.clone());
    *put.method_mut() = Method::PUT;
    assert_eq!(send(&app, put).await.status, 200);
    let mut spelled = form("/submit", body.clone());
    let kind = HeaderValue::from_static("Application/X-WWW-Form-Urlencoded ; charset=utf-8");
    spelled.headers_mut().insert(CONTENT_TYPE, kind);
    assert_eq!(send(&app, spelled).await.status, 200);

    for (what, request, status) in [
        ("no token", form("/submit", "a=1"), 401),
        ("an empty token", form("/submit", "access_token="), 401),
        ("no good token", form("/submit", "access_token=x"), 401),
        (
            "bytes that are no text",
            form("/submit", "access_token=%FF"),
            401,
        ),
        (
            "two of them",
            form("/submit", format!("{body}&access_token=x")),
            400,
        ),
        (
            "in the query as well",
            form(&format!("/submit?access_token={token}"), body.clone()),
            400,
        ),
        (
            "too long",
            form("/submit", vec![b'x'; ProtectionSpace::MAX_FORM + 1]),
            400,
        ),
        (
            "as long as can be",
            form("/submit", vec![b'x'; ProtectionSpace::MAX_FORM]),
            401,
        ),
    ] {
        assert_eq!(send(&app, request).await.status, status, "{what}");
    }
    let mut both = form("/submit", body.clone());
    let header = format!("Bearer {token}").parse().unwrap();
    both.headers_mut().insert(AUTHORIZATION, header);
    assert_eq!(send(&app, both).await.status, 400);
    // The body of a GET has no meaning (RFC 6750 §2.2), and neither has one of another type.
    let mut got = form("/submit", body.clone());
    *got.method_mut() = Method::GET;
    assert_eq!(send(&app, got).await.status, 401);
    let mut text = form("/submit", body.clone());
    text.headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    assert_eq!(send(&app, text).await.status, 401);

    // Hidden and unknown paths read the form alike, and a fallback still receives it.
    assert_eq!(send(&app, form("/hidden", body.clone())).await.status, 200);
    for body in ["a=1", "access_token=x", "access_token=x&access_token=y"] {
        assert_hidden(app.clone(), form("/hidden", body)).await;
    }
    let answer = send(&app, form("/nowhere", "a=1&b=2")).await;
    assert_eq!(answer.body, r#"[["a","1"],["b","2"]]"#);
    // A public handler reads no credentials and no form.
    let long = vec![b'x'; ProtectionSpace::MAX_FORM + 1];
    assert_eq!(send(&app, form("/open", long)).await.status, 200);
}

#[requires(authenticated, schemes(Basic))]
async fn submit_by_password(body: Bytes) -> String {
    body.len().to_string()
}

#[requires(authenticated, schemes(Basic), hide_as = 404)]
async fn hidden_submit_by_password(body: Bytes) -> String {
    body.len().to_string()
}

#[requires(any(authenticated, network = "192.0.2.0/24"), schemes(Bearer))]
async fn submit_by_network(body: Bytes) -> String {
    body.len().to_string()
}

#[public(reason = "the answer of a path that was never there")]
async fn measure(body: Bytes) -> String {
    body.len().to_string()
}

fn cut_off() -> Body {
    let frames = [
        Ok(Bytes::from_static(b"ten bytes!")),
        Err(std::io::Error::other("cut off")),
    ];
    Body::from_stream(futures_util::stream::iter(frames))
}

/// A form from an address of the network, with a password.
fn form_of_ann(target: &str, body: Body) -> Request {
    let mut request = form(target, body);
    let peer = std::net::SocketAddr::from(([192, 0, 2, 1], 4711));
    request.extensions_mut().insert(peer);
    let password = HeaderValue::from_static("Basic YW5uOnNlY3JldA==");
    request.headers_mut().insert(AUTHORIZATION, password);
    request
}

#[tokio::test]
async fn an_unreadable_form_reaches_no_handler() {
    let space = || {
        let bearer = Bearer::jwt(jwt()).accept_form();
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        space.scheme(basic()).build().expect("a space")
    };
    let passwords = || {
        let space = ProtectionSpace::builder().realm("other").scheme(basic());
        space.build().expect("a space")
    };
    let routes = || {
        GuardedRouter::new()
            .route("/shown", post(submit_by_password))
            .route("/network", post(submit_by_network))
            .route("/hidden", post(hidden_submit_by_password))
    };
    let one = routes().protect(space()).unwrap();
    let with_fallback = routes().fallback(measure).protect(space()).unwrap();
    let others = GuardedRouter::new().route("/other", post(hidden_submit_by_password));
    let others = || others.clone().protect(passwords()).unwrap();
    let first = with_fallback.clone().merge(others());
    let last = others().merge(with_fallback.clone());
    let long = || Body::from(vec![b'x'; ProtectionSpace::MAX_FORM + 1]);
    for (app, spaces) in [(one, 1), (with_fallback, 1), (first, 2), (last, 2)] {
        let status = async |target: &str, body: Body| {
            let answer = send(&app, form_of_ann(target, body)).await;
            (answer.status.as_u16(), answer.body)
        };
        // No scheme of the policy reads forms, so the handler receives the body.
        let length = (ProtectionSpace::MAX_FORM + 1).to_string();
        assert_eq!(status("/shown", long()).await, (200, length.clone()));
        assert_eq!(status("/shown", cut_off()).await.0, 400);
        for body in [long, cut_off] {
            for target in ["/network", "/hidden", "/nowhere"] {
                assert_eq!(status(target, body()).await.0, 400, "{target}, {spaces}");
            }
            let hidden = send(&app, form_of_ann("/hidden", body())).await;
            let unknown = send(&app, form_of_ann("/nowhere", body())).await;
            assert_eq!(hidden.headers, unknown.headers);
            let as_bob = |target| with_identity(form(target, body()), Identity::new("bob"));
            for target in ["/network", "/hidden", "/nowhere"] {
                assert_eq!(send(&app, as_bob(target)).await.status, 400, "{target}");
            }
        }
        if spaces == 2 {
            assert_eq!(status("/other", long()).await, (200, length));
            assert_eq!(status("/other", cut_off()).await.0, 400);
        }
        // A readable form does.
        for target in ["/shown", "/network", "/hidden"] {
            let answer = status(target, Body::from("a=1")).await;
            assert_eq!(answer, (200, "3".to_owned()), "{target}");
        }
    }
}

/// A frame that is counted.
struct Frame(#[expect(dead_code, reason = "it is counted")] std::sync::Arc<()>);

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        b"x"
    }
}

#[tokio::test]
async fn a_form_in_small_frames_takes_no_more_memory_than_its_bytes() {
    let app = GuardedRouter::new()
        .route("/submit", post(submit))
        .protect(lenient())
        .unwrap();
    for (frames, expected) in [
        (0, 401),
        (1, 401),
        (5000, 401),
        (ProtectionSpace::MAX_FORM, 401),
        (ProtectionSpace::MAX_FORM + 1, 400),
    ] {
        let held = std::sync::Arc::new(());
        let frames = (0..frames).map(move |_| {
            assert!(std::sync::Arc::strong_count(&held) <= 3, "frames are kept");
            Ok::<_, std::io::Error>(Bytes::from_owner(Frame(held.clone())))
        });
        let body = Body::from_stream(futures_util::stream::iter(frames));
        assert_eq!(send(&app, form("/submit", body)).await.status, expected);
    }
    let body = format!("a=1&access_token={}&b=%C3%BC", token(json!({})));
    let frames: Vec<_> = body.as_bytes().chunks(7).map(<[u8]>::to_vec).collect();
    let frames = frames.into_iter().map(Ok::<_, std::io::Error>);
    let frames = Body::from_stream(futures_util::stream::iter(frames));
    let answer = send(&app, form("/submit", frames)).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, body));
}

#[tokio::test]
async fn a_token_in_the_query_is_found_where_it_was_asked_for() {
    let app = |space| {
        let routes = GuardedRouter::new().route("/", get(known));
        routes.protect(space).unwrap()
    };
    let token = token(json!({}));
    let target = format!("/?a=1&access_token={token}");
    let answer = send(&app(lenient()), request(&target)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.cache_control()),
        (200, "private")
    );
    for (target, status) in [
        ("/?access_token=x", 401),
        ("/?access_token=", 401),
        ("/?access_token", 401),
        ("/?ACCESS_TOKEN=x", 401),
        (&format!("{target}&access_token=x"), 400),
        (&format!("{target}&access%5Ftoken=x"), 400),
    ] {
        assert_eq!(
            send(&app(lenient()), request(target)).await.status,
            status,
            "{target}"
        );
    }
    // It counts as absent, unless it is requested.
    let answer = send(&app(space()), request(&target)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.challenges()),
        (401, vec![BEARER])
    );
}

// ---- caches ----

#[requires(authenticated)]
async fn storable(headers: HeaderMap) -> impl IntoResponse {
    let wanted = headers.get("x-cache-control").cloned();
    let fields: HeaderMap = wanted
        .into_iter()
        .map(|value| (CACHE_CONTROL, value))
        .collect();
    (fields, "storable")
}

/// Caches exclude responses to requests with `Authorization` (RFC 9111 §3.5). They do not recognize
/// other credentials.
#[tokio::test]
async fn answers_to_credentials_that_caches_do_not_know_are_private() {
    let space = space_builder().scheme(keys()).build().unwrap();
    let app = GuardedRouter::new()
        .route("/", get(storable))
        .route("/open", get(open))
        .protect(space)
        .unwrap();
    let key = ("x-api-key", "a-key-of-a-length-that-is-accepted");
    for (wanted, kept) in [
        (None, "private"),
        (Some("private"), "private"),
        (Some("no-store"), "no-store"),
        (Some("max-age=60"), "private, max-age=60"),
        (Some("public, max-age=60"), "private, max-age=60"),
        (
            Some("max-age=60, s-maxage=600, PUBLIC"),
            "private, max-age=60",
        ),
        (
            Some("private=\"set-cookie\", max-age=60"),
            "private, max-age=60",
        ),
        (Some("no-cache"), "private, no-cache"),
        (Some("max-age=60, Private"), "max-age=60, Private"),
    ] {
        let mut fields = vec![key];
        fields.extend(wanted.map(|wanted| ("x-cache-control", wanted)));
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.cache_control()),
            (200, kept),
            "{wanted:?}"
        );
        // Credentials of a scheme that is not accepted do not grant access.
        fields.push(("authorization", "Negotiate YWJj"));
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(answer.cache_control(), kept, "{wanted:?}");
        fields.pop();
        // With `Authorization`, the handler's own field is kept.
        let authorization = good();
        fields[0] = ("authorization", &authorization);
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(answer.cache_control(), wanted.unwrap_or_default());
    }
    assert_eq!(send(&app, with("/open", &[key])).await.cache_control(), "");
    let by_session = with_identity(request("/"), Identity::new("ann"));
    assert_eq!(send(&app, by_session).await.cache_control(), "private");
}

// ---- scripts of other origins ----

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(HeaderValue::from_static("https://app.example"))
        .allow_methods([Method::GET])
        .allow_headers([AUTHORIZATION])
        .expose_headers([WWW_AUTHENTICATE])
}

#[requires(scope = "admin", hide_as = 404)]
async fn hidden() -> &'static str {
    "hidden"
}

#[tokio::test]
async fn a_script_of_another_origin_gets_past_the_preflight_and_reads_the_challenge() {
    let app = GuardedRouter::new()
        .route("/", get(read))
        .route("/hidden", get(hidden))
        .protect(space())
        .unwrap()
        .layer(cors());
    let origin = ("origin", "https://app.example");
    let preflight = |target| {
        let fields = [
            origin,
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        let mut request = with(target, &fields);
        *request.method_mut() = Method::OPTIONS;
        request
    };
    let answer = send(&app, preflight("/")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(
        answer.headers["access-control-allow-headers"],
        "authorization"
    );
    assert!(answer.challenges().is_empty());
    for (request, status) in [
        (with("/", &[origin]), 401),
        (with("/", &[origin, ("authorization", &good())]), 200),
        (
            with_caller(with("/", &[origin]), Caller::known(Identity::new("bob"))),
            403,
        ),
    ] {
        let answer = send(&app, request).await;
        assert_eq!(answer.status, status);
        assert_eq!(
            answer.headers["access-control-allow-origin"],
            "https://app.example"
        );
        assert_eq!(
            answer.headers["access-control-expose-headers"],
            "www-authenticate"
        );
    }
    // The response does not reveal hidden paths.
    assert_hidden(app.clone(), preflight("/hidden")).await;
    assert_hidden(app.clone(), with("/hidden", &[origin])).await;
    assert_hidden(
        app.clone(),
        with("/hidden", &[origin, ("authorization", &good())]),
    )
    .await;
}
