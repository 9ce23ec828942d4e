//! The metadata of the resource (RFC 9728).

use auth_runtime::resource::{ResourceError, UrlProblem};
use auth_runtime::schemes::{CertificateSource, Credentials, Dpop, Scheme, Verification};
use auth_runtime::{ProtectedRouter, SpaceError};
use serde_json::Value;

use super::*;

const METADATA: &str = "https://api.example/.well-known/oauth-protected-resource/v1";

#[requires(any(scope = "write", all(scope = "read", scope = "edit")))]
async fn write() {}

#[requires(scope = "publish")]
async fn publish() {}

#[tokio::test]
async fn metadata_describes_mounted_policies() {
    let space = both().resource(resource()).build().unwrap();
    let nested = GuardedRouter::new().route("/deep", get(write));
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .route("/secret", get(secret).post(publish))
        .route("/open", get(open))
        .nest("/n", nested)
        .protect(space)
        .unwrap();
    let target = "/.well-known/oauth-protected-resource/v1";
    let answer = send(&app, request(target)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
    assert_eq!(answer.cache_control(), "public, max-age=3600");
    // Without the scopes of handlers on hidden paths.
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

/// An OAuth scheme of the service, under a name of its own.
struct Tokens;

impl Scheme for Tokens {
    fn name(&self) -> &str {
        "Token"
    }

    fn is_oauth(&self) -> bool {
        true
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }
}

/// Members of the document are about all spaces that share it.
#[tokio::test]
async fn metadata_describe_the_accepted_tokens() {
    let space = || ProtectionSpace::builder().realm("api");
    let bearer = || Bearer::jwt(jwt());
    let dpop = || Dpop::jwt(jwt()).origin("https://api.example").build();
    let dpop = || dpop().expect("it is in order");
    let bound = || {
        let source = CertificateSource::client_cert(["10.0.0.7/32".parse().unwrap()]);
        bearer().client_certificate(source.unwrap())
    };
    for (name, spaces, methods, dpop_only, by_certificate) in [
        (
            "DPoP",
            vec![space().scheme(dpop()).scheme(basic())],
            json!(null),
            json!(true),
            json!(null),
        ),
        (
            "both",
            vec![space().scheme(dpop()).scheme(bearer())],
            json!(["header"]),
            json!(null),
            json!(null),
        ),
        (
            "bound",
            vec![space().scheme(bound())],
            json!(["header"]),
            json!(null),
            json!(true),
        ),
        (
            "beside passwords",
            vec![space().scheme(basic()), space().scheme(dpop())],
            json!(null),
            json!(true),
            json!(null),
        ),
        (
            "beside tokens in the query",
            vec![
                space().scheme(dpop()),
                space().scheme(bearer().accept_query()),
            ],
            json!(["header", "query"]),
            json!(null),
            json!(null),
        ),
        (
            "beside bound ones",
            vec![
                space().scheme(bearer()),
                space().scheme(bound()).scheme(dpop()),
            ],
            json!(["header"]),
            json!(null),
            json!(true),
        ),
        (
            "a scheme of the service",
            vec![space().scheme(Tokens).scheme(dpop())],
            json!(null),
            json!(null),
            json!(null),
        ),
        (
            "passwords",
            vec![space().scheme(basic())],
            json!(null),
            json!(null),
            json!(null),
        ),
    ] {
        let routers = spaces.into_iter().zip(["/a", "/b"]).map(|(space, path)| {
            let space = space.resource(resource()).build().unwrap();
            GuardedRouter::new()
                .route(path, get(known))
                .protect(space)
                .unwrap()
        });
        let app = routers.reduce(ProtectedRouter::merge).expect("a router");
        let answer = send(&app, request("/.well-known/oauth-protected-resource/v1")).await;
        let document: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(document["bearer_methods_supported"], methods, "{name}");
        assert_eq!(
            document["dpop_bound_access_tokens_required"], dpop_only,
            "{name}"
        );
        let certificates = &document["tls_client_certificate_bound_access_tokens"];
        assert_eq!(*certificates, by_certificate, "{name}");
    }
}

/// A layer for CORS replaces the fields of the document, unless the document is outside it.
#[tokio::test]
async fn metadata_outside_layers_allow_every_origin() {
    let space = both().resource(resource()).build().unwrap();
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .protect(space);
    let app = app.unwrap();
    let metadata = app.metadata_router();
    let inside = app.layer(cors());
    let outside = Router::new()
        .fallback_service(inside.clone())
        .merge(metadata);
    let target = "/.well-known/oauth-protected-resource/v1";
    let origin = ("origin", "https://other.example");
    let get = || with(target, &[origin]);
    let preflight = || {
        let mut request = with(target, &[origin, ("access-control-request-method", "GET")]);
        *request.method_mut() = Method::OPTIONS;
        request
    };
    for request in [&get as &dyn Fn() -> Request, &preflight] {
        let answer = send(&inside, request()).await;
        let allowed = &answer.headers["access-control-allow-origin"];
        assert_eq!(allowed, "https://app.example");
        let answer = send(&outside, request()).await;
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
    }
    let answer = send(&outside, with("/read", &[origin])).await;
    assert_eq!(answer.status, 401);
    let allowed = &answer.headers["access-control-allow-origin"];
    assert_eq!(allowed, "https://app.example");
}

#[tokio::test]
async fn oauth_challenges_point_to_metadata() {
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

/// A client may begin with a valid token that another server issued to it.
#[tokio::test]
async fn every_oauth_challenge_points_to_metadata() {
    #[requires(acr = "mfa")]
    async fn strong() {}
    #[requires(role = "admin")]
    async fn admin() {}

    let space = space_builder().resource(resource()).build().unwrap();
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .route("/strong", get(strong))
        .route("/admin", get(admin))
        .protect(space)
        .unwrap();
    let caller = format!("Bearer {}", token(json!({})));
    for (target, authorization, status) in [
        ("/read", "", 401),
        ("/read", "Bearer x", 401),
        ("/read", &caller, 403),
        ("/strong", &caller, 401),
        ("/admin", &caller, 403),
    ] {
        let answer = send(&app, with(target, &[("authorization", authorization)])).await;
        assert_eq!(answer.status, status, "{target} {authorization}");
        let [challenge] = answer.challenges()[..] else {
            panic!("{target} {authorization}");
        };
        let metadata = format!("resource_metadata=\"{METADATA}\"");
        assert!(challenge.contains(&metadata), "{challenge}");
    }
}

#[test]
fn metadata_replaces_the_realm() {
    let nameless = || ProtectionSpace::builder().scheme(Bearer::jwt(jwt()));
    assert_eq!(nameless().build().unwrap_err(), SpaceError::NoRealm);
    assert!(nameless().resource(resource()).build().is_ok());
    let with_basic = nameless().resource(resource()).scheme(basic());
    assert_eq!(with_basic.build().unwrap_err(), SpaceError::NoRealm);
}

#[test]
fn invalid_resources_are_refused() {
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
    for identifier in [
        "https://api.example/:mcp",
        "https://api.example/v1/*",
        "https://api.example/*/v1",
    ] {
        let error = ResourceError::Path(identifier.to_owned());
        assert_eq!(build(identifier), Err(error));
    }
    for identifier in ["https://api.example/v:1", "https://api.example/a*"] {
        let url = build(identifier).expect("a resource");
        assert!(url.ends_with(&identifier["https://api.example".len()..]));
    }
    let nobody = ProtectedResource::builder("https://api.example").build();
    assert_eq!(nobody.unwrap_err(), ResourceError::NoAuthorizationServer);
}

#[test]
fn errors_name_url_and_remedy() {
    assert_eq!(resource().identifier(), "https://api.example/v1");
    let error = ResourceError::Url {
        url: "https://api.example/#x".to_owned(),
        problem: UrlProblem::Fragment,
    };
    let problem = UrlProblem::Fragment.to_string();
    for (error, expected) in [
        (
            error,
            format!(
                "\"https://api.example/#x\" cannot identify a resource or an issuer: {problem}"
            ),
        ),
        (
            ResourceError::Path("https://api.example/:v".to_owned()),
            "a segment of the path of \"https://api.example/:v\" begins with `:` or `*`, so that its metadata \
             cannot be a route"
                .to_owned(),
        ),
        (
            ResourceError::NoAuthorizationServer,
            "the resource names no authorization server, so no client could get a token; name one with \
             `.authorization_server(\"https://…\")`"
                .to_owned(),
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}
