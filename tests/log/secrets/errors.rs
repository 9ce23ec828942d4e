//! Errors.

use auth_runtime::resource::ProtectedResource;
use auth_tests::serve;

use super::*;

#[test]
fn errors_show_no_secret() {
    listen();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{MARKER}\n-----END PRIVATE KEY-----\n");
    let url = format!("https://ann:{MARKER}@as.example/");
    // An invalid URL, since it is not absolute.
    let query = format!("as.example/keys?code={MARKER}");
    let jwt = |document: &str| {
        let jwt = Jwt::builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .jwks(document);
        text(jwt.build())
    };
    let asked = || Introspection::builder().endpoint("https://as.example/introspect");
    let user = |hash: &str| {
        let hashes = PasswordHashes::builder().user("ann", hash, Identity::new("ann"));
        text(hashes.build())
    };
    let stand_in = |hash: &str| {
        let users = PasswordHashes::look_up(async |_| Ok::<_, std::fmt::Error>(None));
        text(users.stand_in(hash).build())
    };
    for (what, text) in [
        ("a short secret", text(JwtKey::hs256(&MARKER[..31]))),
        ("RS256 from garbage", text(JwtKey::rs256_pem(MARKER))),
        ("RS256 from a wrong key", text(JwtKey::rs256_pem(&pem))),
        ("ES256 from garbage", text(JwtKey::es256_pem(MARKER))),
        ("ES256 from a wrong key", text(JwtKey::es256_pem(&pem))),
        ("EdDSA from garbage", text(JwtKey::eddsa_pem(MARKER))),
        ("EdDSA from a wrong key", text(JwtKey::eddsa_pem(&pem))),
        ("JWKS that is a word", jwt(MARKER)),
        ("JWKS that is a string", jwt(&format!("{MARKER:?}"))),
        (
            "JWKS whose keys are a string",
            jwt(&json!({ "keys": MARKER }).to_string()),
        ),
        (
            "JWKS with a symmetric key",
            jwt(
                &json!({ "keys": [{ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(MARKER) }] })
                    .to_string(),
            ),
        ),
        (
            "keys at a URL with a password",
            text(
                Jwt::builder()
                    .issuer(ISSUER)
                    .audience(AUDIENCE)
                    .jwks_url(&url)
                    .build(),
            ),
        ),
        (
            "keys at a URL with a key in its query",
            text(
                Jwt::builder()
                    .issuer(ISSUER)
                    .audience(AUDIENCE)
                    .jwks_url(&query)
                    .build(),
            ),
        ),
        (
            "introspection at a URL with a key in its query",
            text(
                asked()
                    .client_secret("client", "secret")
                    .any_audience()
                    .endpoint(&query)
                    .build(),
            ),
        ),
        (
            "introspection with a wrong key",
            text(
                asked()
                    .private_key_es256("client", &pem, "https://as.example")
                    .build(),
            ),
        ),
        (
            "introspection with a wrong RSA key",
            text(
                asked()
                    .private_key_rs256("client", &pem, "https://as.example")
                    .build(),
            ),
        ),
        (
            "introspection at a URL with a password",
            text(
                asked()
                    .client_secret("client", MARKER)
                    .any_audience()
                    .endpoint(&url)
                    .build(),
            ),
        ),
        ("a password in place of its hash", user(MARKER)),
        ("a password in place of a stand-in", stand_in(MARKER)),
        (
            "a broken hash",
            user(&hash_of_marker()[..hash_of_marker().len() - 4].replace("argon2id", "argon3")),
        ),
        (
            "a short API key",
            text(
                ApiKeys::builder()
                    .key(&MARKER[..15], Identity::new("a"))
                    .build(),
            ),
        ),
        (
            "a key in place of its digest",
            text(
                ApiKeys::builder()
                    .key_sha256(MARKER, Identity::new("a"))
                    .build(),
            ),
        ),
        (
            "a resource with a password",
            text(ProtectedResource::builder(&url).build()),
        ),
        (
            "an authorization server with a password",
            text(
                ProtectedResource::builder("https://api.example")
                    .authorization_server(&url)
                    .build(),
            ),
        ),
    ] {
        assert_silent(what, &text);
        let beginning = MARKER[..15].to_owned();
        assert_eq!(leaks(&text, &[beginning]), Vec::<String>::new(), "{what}");
    }
}

/// Gateways and hosts of functions take their key in the query.
#[tokio::test(flavor = "multi_thread")]
async fn outages_show_no_query() {
    listen();
    let server = serve(axum::Router::new().route("/text", axum::routing::any("text"))).await;
    let nowhere = auth_tests::ports::free_port();
    let marker = [MARKER.to_owned()];
    for (origin, problem) in [
        (format!("http://127.0.0.1:{nowhere}/"), ""),
        (format!("http://{server}/missing"), "404"),
        (format!("http://{server}/text"), ""),
    ] {
        let url = format!("{origin}?code={MARKER}");
        let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
        let jwt = jwt.jwks_url(&url).build().expect("in order");
        let error = text(jwt.fetch_keys().await);
        assert!(error.contains(&format!("{origin}?…: ")), "{error}");
        assert!(error.contains(problem), "{error}");
        assert_silent("keys that cannot be fetched", &error);

        let introspection = Introspection::builder()
            .endpoint(&url)
            .client_secret("client", "secret")
            .any_audience()
            .build();
        let bearer = Bearer::introspection(introspection.expect("in order"));
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        let app = GuardedRouter::new().route("/", get(page));
        let app = app.protect(space.build().expect("in order"));
        let fields = [("authorization", "Bearer opaque".to_owned())];
        let (status, _) = send(&app.expect("in order"), "GET", "/", &fields, "").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let seen = [
            format!("the keys of the issuer could not be fetched: {origin}?…: "),
            "tokens cannot be introspected".to_owned(),
            format!("endpoint=\"{origin}?…\""),
        ];
        assert_log(&seen.each_ref().map(String::as_str), &marker);
    }
}

/// The metadata of an issuer name the URL of its keys, which may be long.
#[tokio::test]
async fn urls_of_issuers_are_cut() {
    listen();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let issuer = format!("http://{}", listener.local_addr().expect("it is bound"));
    let keys = format!("{issuer}/{}", "x".repeat(10_000));
    let metadata = axum::Json(json!({ "issuer": issuer, "jwks_uri": keys }));
    let metadata = axum::routing::get(async move || metadata);
    let server = axum::Router::new().route("/.well-known/openid-configuration", metadata);
    tokio::spawn(async move { axum::serve(listener, server).await });
    let jwt = Jwt::builder()
        .issuer(&issuer)
        .audience(AUDIENCE)
        .discover()
        .build();
    let error = jwt.expect("in order").fetch_keys().await;
    let error = error.expect_err("there are no keys").to_string();
    assert!(error.contains("404"), "{error}");
    assert!(error.len() < 500, "{error}");
}

#[requires(authenticated)]
async fn page() {}
