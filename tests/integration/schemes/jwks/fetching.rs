//! The first fetch of the keys, and the requests that wait for it.

use auth_runtime::schemes::JwtError;
use auth_tests::tls::{self, Authority};
use http::HeaderMap;

use super::*;

#[tokio::test]
async fn metadata_leads_to_the_keys() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(issuer.fetches(), (0, 0));
    for _ in 0..3 {
        assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    }
    assert_eq!(issuer.fetches(), (1, 1));
}

#[tokio::test]
async fn keys_have_a_url() {
    let issuer = Issuer::start().await;
    let url = format!("{}/keys", issuer.name());
    let jwt = issuer.verifier().jwks_url(url).build().unwrap();
    jwt.fetch_keys().await.unwrap();
    assert_eq!(issuer.fetches(), (0, 1));
    let app = app(space(Bearer::jwt(jwt.clone())));
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    assert_eq!(issuer.fetches(), (0, 1));

    issuer.stop().await;
    let error = jwt.fetch_keys().await.unwrap_err();
    assert!(matches!(error, JwtError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn requests_share_one_fetch() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    let requests = (0..50).map(|_| {
        let (app, token) = (app.clone(), issuer.token(json!({})));
        tokio::spawn(async move { status(&app, &token).await })
    });
    let requests: Vec<_> = requests.collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(issuer.fetches(), (1, 1));
}

#[tokio::test]
async fn foreign_metadata_is_not_believed() {
    let issuer = Issuer::start().await;
    *issuer.published.issuer.lock().unwrap() = "https://other.example".to_owned();
    let jwt = issuer.verifier().discover().build().unwrap();
    let error = jwt.fetch_keys().await.unwrap_err().to_string();
    assert!(error.contains("other.example"), "{error}");
    assert_eq!(issuer.fetches().1, 0);
    let app = app(space(Bearer::jwt(jwt)));
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 503);
}

/// `http` on loopback is for tests. Otherwise any process of this machine that gets hold of the port could publish keys.
#[tokio::test]
async fn https_issuers_have_https_keys() {
    let issuer = Issuer::start().await;
    let authority = Authority::new();
    let keys = format!("{}/keys", issuer.name());
    let metadata = routing::get(async move |fields: HeaderMap| {
        let host = fields["host"].to_str().expect("a host");
        axum::Json(json!({ "issuer": format!("https://{host}"), "jwks_uri": keys }))
    });
    let app = Router::new().route("/.well-known/openid-configuration", metadata);
    let name = format!(
        "https://localhost:{}",
        tls::serve(app, &authority).await.port()
    );
    let jwt = Jwt::builder().issuer(&name).audience(AUDIENCE).discover();
    let jwt = jwt.ca_certificates(authority.pem()).build().unwrap();
    let error = jwt.fetch_keys().await.unwrap_err().to_string();
    let expected = format!(
        "the keys cannot be fetched: {name}/.well-known/openid-configuration: the `jwks_uri` \"{}/keys\" cannot be \
         used: it has to be https, as the issuer is",
        issuer.name()
    );
    assert_eq!(error, expected);
    assert_eq!(issuer.fetches(), (0, 0));
}

#[test]
fn invalid_settings_are_found() {
    let builder = || Jwt::builder().audience(AUDIENCE);
    let secret = JwtKey::hs256([7; 32]).unwrap();
    for (builder, message) in [
        (
            builder().issuer("http://issuer.example").discover(),
            r#"keys cannot be fetched from "http://issuer.example": it has to be https (or http on loopback, for tests); within a cluster, name it with `.jwks_over_plain_http(…)`"#,
        ),
        (
            builder().issuer("my-issuer").discover(),
            r#"keys cannot be fetched from "my-issuer": it is not an absolute URL"#,
        ),
        (
            builder()
                .issuer("https://a.example")
                .issuer("https://b.example")
                .discover(),
            "more than one issuer is given, and keys belong to one; build a `Jwt` for each, and \
             join them with `Jwt::any_of`",
        ),
        (
            builder()
                .issuer("https://a.example")
                .key(secret)
                .jwks_url("https://a.example/keys"),
            "keys are both given and fetched; choose one of the two",
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), message);
    }
}

/// Another address, another status and another length are not the keys.
#[tokio::test]
async fn keys_are_whole_response_at_url() {
    let issuer = Issuer::start().await;
    let keys = {
        let keys = issuer.published.keys.lock().unwrap();
        let (id, key) = keys.back().expect("a key");
        json!({ "keys": [jwk(id, key)] }).to_string()
    };
    let padded = |length: usize| " ".repeat(length - keys.len()) + &keys;
    let answer = |status: StatusCode, body: String| {
        routing::get(move || std::future::ready((status, [("location", "/keys")], body.clone())))
    };
    let app = Router::new()
        .route("/keys", answer(StatusCode::OK, keys.clone()))
        .route("/moved", answer(StatusCode::FOUND, keys.clone()))
        .route(
            "/moved-for-good",
            answer(StatusCode::PERMANENT_REDIRECT, keys.clone()),
        )
        .route(
            "/by-others",
            answer(StatusCode::NON_AUTHORITATIVE_INFORMATION, keys.clone()),
        )
        .route("/accepted", answer(StatusCode::ACCEPTED, keys.clone()))
        .route("/missing", answer(StatusCode::NOT_FOUND, keys.clone()))
        .route("/long", answer(StatusCode::OK, padded(1 << 20)))
        .route("/longer", answer(StatusCode::OK, padded((1 << 20) + 1)));
    let address = auth_tests::serve(app).await;
    let token = issuer.token(json!({}));
    for (path, expected) in [
        ("keys", 200),
        ("long", 200),
        ("longer", 503),
        ("moved", 503),
        ("moved-for-good", 503),
        ("by-others", 503),
        ("accepted", 503),
        ("missing", 503),
    ] {
        let jwt = issuer
            .verifier()
            .jwks_url(format!("http://{address}/{path}"));
        let app = super::app(space(Bearer::jwt(jwt.build().unwrap())));
        assert_eq!(status(&app, &token).await, expected, "{path}");
    }
}

/// A template is not a URL of metadata.
#[test]
fn keys_of_tenants_have_a_url() {
    let tenants = || {
        let jwt = Jwt::builder().audience(AUDIENCE);
        jwt.issuer_per_tenant("https://login.example/{tid}/v2.0", |_| true)
    };
    assert_eq!(
        tenants().discover().build().unwrap_err(),
        JwtError::IssuerTemplate
    );
    assert!(
        tenants()
            .jwks_url("https://login.example/keys")
            .build()
            .is_ok()
    );
}

/// Some issuers publish their metadata by RFC 8414 §3 only.
#[tokio::test]
async fn metadata_have_two_places() {
    let issuer = Issuer::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let name = format!("http://{address}/tenant");
    let metadata = json!({ "issuer": name, "jwks_uri": format!("{}/keys", issuer.name()) });
    let metadata = routing::get(async move || axum::Json(metadata));
    let app = Router::new().route("/.well-known/oauth-authorization-server/tenant", metadata);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let jwt = Jwt::builder().issuer(&name).audience(AUDIENCE).discover();
    let app = super::app(space(Bearer::jwt(
        jwt.clock(issuer.time.clock()).build().unwrap(),
    )));
    let token = issuer.token(json!({ "iss": name }));
    assert_eq!(status(&app, &token).await, 200);
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 401);
}

/// Keycloak responds with 503 at the first place while it starts, and has nothing at the second.
#[tokio::test]
async fn problems_of_both_places_are_reported() {
    let first = "/tenant/.well-known/openid-configuration";
    let second = "/.well-known/oauth-authorization-server/tenant";
    let fails = |status: StatusCode| routing::get(move || std::future::ready(status));
    let foreign = || {
        routing::get(async || axum::Json(json!({ "issuer": "https://other.example", "keys": [] })))
    };
    let unavailable = "the response has the status 503 Service Unavailable";
    let missing = "the response has the status 404 Not Found";
    let other = r#"the metadata is of "https://other.example" and not of ISSUER"#;
    for (app, expected) in [
        (
            Router::new().route(first, fails(StatusCode::SERVICE_UNAVAILABLE)),
            vec![(first, unavailable), (second, missing)],
        ),
        (
            Router::new().route(second, fails(StatusCode::SERVICE_UNAVAILABLE)),
            vec![(first, missing), (second, unavailable)],
        ),
        (
            Router::new().route(second, foreign()),
            vec![(first, missing), (second, other)],
        ),
        // The metadata of another issuer end the search.
        (Router::new().route(first, foreign()), vec![(first, other)]),
    ] {
        let host = format!("http://{}", auth_tests::serve(app).await);
        let issuer = format!("{host}/tenant");
        let jwt = Jwt::builder().issuer(&issuer).audience(AUDIENCE).discover();
        let error = jwt.build().unwrap().fetch_keys().await.unwrap_err();
        let expected = expected.iter().map(|(path, problem)| {
            let problem = problem.replace("ISSUER", &format!("{issuer:?}"));
            format!("{host}{path}: {problem}")
        });
        let expected: Vec<String> = expected.collect();
        let expected = format!("the keys cannot be fetched: {}", expected.join("; "));
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn hanging_issuers_are_503() {
    let issuer = Issuer::start().await;
    let asked = Arc::new(tokio::sync::Notify::new());
    let asking = Arc::clone(&asked);
    let hang = routing::get(async move || {
        asking.notify_one();
        std::future::pending::<()>().await
    });
    let address = auth_tests::serve(Router::new().route("/keys", hang)).await;
    let jwt = issuer.verifier().jwks_url(format!("http://{address}/keys"));
    let app = super::app(space(Bearer::jwt(jwt.build().unwrap())));
    let token = issuer.token(json!({}));
    let begin = tokio::time::Instant::now();
    let (status, ()) = tokio::join!(status(&app, &token), async {
        asked.notified().await;
        tokio::time::pause();
    });
    assert_eq!(status, 503);
    let seconds = begin.elapsed().as_secs();
    assert!((9..=12).contains(&seconds), "{seconds}");
}
