//! The answers of the endpoint, and their effect.

use auth_runtime::schemes::{CertificateSource, PeerCertificate};

use super::*;

#[tokio::test]
async fn certificate_bound_tokens_are_checked() {
    let server = Server::start().await;
    let own = PeerCertificate::new("a certificate");
    let mut answer = active();
    answer["cnf"] = json!({ "x5t#S256": own.thumbprint() });
    server.says("bound", answer);
    let bearer = Bearer::introspection(server.builder().build().unwrap());
    let certificate = CertificateSource::connection();
    let app = app(space(bearer.client_certificate(certificate)));
    let ask = async |shown: Option<PeerCertificate>| {
        let mut request = Request::get("/read").body(Body::empty()).unwrap();
        if let Some(shown) = shown {
            request.extensions_mut().insert(shown);
        }
        let headers = request.headers_mut();
        headers.insert("authorization", HeaderValue::from_static("Bearer bound"));
        app.clone().oneshot(request).await.unwrap().status()
    };
    // The cached binding is compared with the certificate of each request.
    for _ in 0..2 {
        assert_eq!(ask(Some(own.clone())).await, 200);
        let other = PeerCertificate::new("another certificate");
        assert_eq!(ask(Some(other)).await, 401);
        assert_eq!(ask(None).await, 401);
    }
    assert_eq!(server.questions(), 1);
}

#[tokio::test]
async fn the_answer_decides() {
    let server = Server::start().await;
    let with = |name: &str, value: Value| {
        let mut answer = active();
        answer[name] = value;
        answer
    };
    let expected = [
        ("good", active(), 200),
        ("other-scope", with("scope", json!("write")), 403),
        (
            "inactive",
            json!({ "active": false, "sub": "ann", "scope": "read" }),
            401,
        ),
        ("active-in-words", with("active", json!("true")), 401),
        ("expired", with("exp", json!(now() - 600)), 401),
        ("expiry-is-no-number", with("exp", json!("tomorrow")), 401),
        ("not-yet", with("nbf", json!(now() + 600)), 401),
        // The clock of the issuer may be off by a minute.
        ("expired-lately", with("exp", json!(now() - 30)), 200),
        ("expired-before", with("exp", json!(now() - 90)), 401),
        ("valid-soon", with("nbf", json!(now() + 30)), 200),
        ("valid-later", with("nbf", json!(now() + 90)), 401),
        ("of-nobody", with("sub", json!("")), 401),
        ("bound", with("cnf", json!({ "jkt": "x" })), 401),
        (
            "no-expiry",
            json!({ "active": true, "client_id": "job", "sub": "job", "scope": "read" }),
            200,
        ),
        (
            "no-subject",
            json!({ "active": true, "client_id": "spa", "username": "ann", "scope": "read" }),
            401,
        ),
        ("identity-token", with("token_use", json!("id")), 401),
        ("logout-token", with("events", json!({})), 401),
    ];
    for (token, answer, _) in &expected {
        server.says(token, answer.clone());
    }
    let app = server.app();
    for (token, _, status) in expected {
        assert_eq!(self::status(&app, token).await, status, "{token}");
    }
    assert_eq!(status(&app, "never-heard-of").await, 401);
    let response = send(&app, "/known", &bearer("expired")).await;
    assert_eq!(challenges(&response), [EXPIRED]);
}

/// RFC 9470 §6.2.
#[tokio::test]
async fn login_method_and_time_are_stated() {
    #[requires(acr = "mfa", amr = "otp", max_age = "5m")]
    async fn strong() {}

    let server = Server::start().await;
    let introspection = server.builder().build().unwrap();
    let app = GuardedRouter::new()
        .route("/strong", get(strong))
        .protect(space(Bearer::introspection(introspection)))
        .unwrap();
    let good = json!({ "acr": "mfa", "amr": ["pwd", "otp"], "auth_time": now() - 60 });
    for (token, change, expected) in [
        ("good", json!({}), 200),
        // The clock of the issuer may be off by a minute.
        ("of-a-slow-clock", json!({ "auth_time": now() - 350 }), 200),
        ("of-a-fast-clock", json!({ "auth_time": now() + 30 }), 200),
        ("stale", json!({ "auth_time": now() - 370 }), 401),
        ("of-the-future", json!({ "auth_time": now() + 90 }), 401),
        ("weak", json!({ "acr": "pwd" }), 401),
        ("by-password", json!({ "amr": ["pwd"] }), 401),
        ("without-acr", json!({ "acr": null }), 401),
        ("without-amr", json!({ "amr": null }), 401),
        (
            "without-time",
            json!({ "auth_time": null, "iat": now() }),
            401,
        ),
    ] {
        let mut answer = active();
        for (name, value) in [&good, &change]
            .into_iter()
            .filter_map(Value::as_object)
            .flatten()
        {
            answer[name] = value.clone();
        }
        server.says(token, answer);
        // The second answer is remembered.
        for _ in 0..2 {
            let response = send(&app, "/strong", &bearer(token)).await;
            assert_eq!(response.status(), expected, "{token}");
            let challenges = challenges(&response).join(", ");
            let asks = challenges.contains("insufficient_user_authentication");
            assert_eq!(asks, expected == 401, "{token}: {challenges}");
        }
    }
}

#[tokio::test]
async fn configured_members_name_the_caller() {
    let server = Server::start().await;
    for (token, user) in [("a", "ann"), ("b", "bob")] {
        let answer = json!({
            "active": true, "client_id": "spa", "username": user, "scope": "read",
        });
        server.says(token, answer);
    }
    let app = of(server.undecided().any_audience().subject_claim("username"));
    for (token, user) in [("a", "ann"), ("b", "bob")] {
        let response = send(&app, "/known", &bearer(token)).await;
        let identity = text(response).await;
        assert!(identity.contains(user), "{identity}");
    }
}

#[tokio::test]
async fn issuer_and_audience_are_checked() {
    let server = Server::start().await;
    let mut ours = active();
    ours["iss"] = json!(ISSUER);
    ours["aud"] = json!([AUDIENCE, "https://other.example"]);
    let mut foreign = ours.clone();
    foreign["aud"] = json!("https://other.example");
    let mut forged = ours.clone();
    forged["iss"] = json!("https://other.example");
    // A similar text is another name.
    for (token, member, name) in [
        ("longer-issuer", "iss", format!("{ISSUER}.attacker.example")),
        ("issuer-with-slash", "iss", format!("{ISSUER}/")),
        ("issuer-in-capitals", "iss", ISSUER.to_uppercase()),
        (
            "shorter-issuer",
            "iss",
            ISSUER[..ISSUER.len() - 1].to_owned(),
        ),
        (
            "longer-audience",
            "aud",
            format!("{AUDIENCE}.attacker.example"),
        ),
        ("audience-with-slash", "aud", format!("{AUDIENCE}/")),
        ("audience-in-capitals", "aud", AUDIENCE.to_uppercase()),
        (
            "shorter-audience",
            "aud",
            AUDIENCE[..AUDIENCE.len() - 1].to_owned(),
        ),
    ] {
        let mut similar = ours.clone();
        similar[member] = json!(name);
        server.says(token, similar);
    }
    server.says("ours", ours);
    server.says("foreign", foreign);
    server.says("forged", forged);
    server.says("silent", active());
    let mut second = active();
    second["iss"] = json!(ISSUER);
    second["aud"] = json!(["https://other.example", "https://own.example"]);
    server.says("second", second.clone());
    second["aud"] = json!("https://own.example");
    server.says("of-one", second);
    let mut partly = active();
    partly["iss"] = json!(ISSUER);
    server.says("without-audience", partly);
    let mut partly = active();
    partly["aud"] = json!(AUDIENCE);
    server.says("without-issuer", partly);
    let builder = server.undecided().issuer(ISSUER).audience(AUDIENCE);
    let app = of(builder.audience("https://own.example"));
    for (token, expected) in [
        ("ours", 200),
        ("second", 200),
        ("of-one", 200),
        ("without-audience", 401),
        ("without-issuer", 401),
        ("foreign", 401),
        ("forged", 401),
        ("silent", 401),
        ("longer-issuer", 401),
        ("issuer-with-slash", 401),
        ("issuer-in-capitals", 401),
        ("shorter-issuer", 401),
        ("longer-audience", 401),
        ("audience-with-slash", 401),
        ("audience-in-capitals", 401),
        ("shorter-audience", 401),
    ] {
        assert_eq!(status(&app, token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn outages_are_503() {
    let server = Server::start().await;
    server.says("good", active());
    server.says("other", active());
    let app = server.app();
    assert_eq!(status(&app, "good").await, 200);
    for trouble in [401, 403, 429, 500, 302] {
        *server.endpoint.status.lock().unwrap() = trouble;
        let response = send(&app, "/read", &bearer("other")).await;
        assert_eq!(response.status(), 503, "{trouble}");
        assert_eq!(response.headers()["retry-after"], "5");
        assert!(challenges(&response).is_empty());
    }
    assert_eq!(status(&app, "good").await, 200, "remembered");
    *server.endpoint.status.lock().unwrap() = 200;
    assert_eq!(status(&app, "other").await, 200);
    server.says("third", json!([1, 2]));
    assert_eq!(status(&app, "third").await, 503);
    server.server.abort();
    assert_eq!(status(&app, "fourth").await, 503);
}

#[tokio::test]
async fn other_token_types_are_rejected() {
    let server = Server::start().await;
    let app = server.app();
    for (name, value, expected) in [
        ("token_type", json!("Bearer"), 200),
        ("token_type", json!("bearer"), 200),
        ("token_type", json!("access_token"), 200),
        ("token_type", json!("DPoP"), 401),
        ("token_type", json!("refresh_token"), 401),
        ("token_type", json!(7), 401),
        ("token_use", json!("access"), 200),
        ("token_use", json!("access_token"), 200),
        ("token_use", json!("refresh_token"), 401),
        ("token_use", json!("id"), 401),
        ("typ", json!("Bearer"), 200),
        ("typ", json!("at+jwt"), 200),
        ("typ", json!("Refresh"), 401),
        ("typ", json!("Offline"), 401),
        ("typ", json!("ID"), 401),
    ] {
        let token = format!("token-{name}-{value}").replace(['"', '+'], "");
        let mut answer = active();
        answer[name] = value;
        server.says(&token, answer);
        // The second response is from the cache.
        for _ in 0..2 {
            assert_eq!(status(&app, &token).await, expected, "{token}");
        }
    }
}

#[tokio::test]
async fn identities_have_the_required_issuer() {
    let server = Server::start().await;
    let mut named = active();
    named["iss"] = json!(ISSUER);
    server.says("named", named);
    server.says("nameless", active());
    let of =
        |builder: IntrospectionBuilder| app(space(Bearer::introspection(builder.build().unwrap())));
    let [any, own] = [of(server.builder()), of(server.builder().issuer(ISSUER))];
    // A server could name the issuer of another server.
    for (app, token, expected) in [
        (&any, "named", "issuer: None".to_owned()),
        (&any, "nameless", "issuer: None".to_owned()),
        (&own, "named", format!("issuer: Some({ISSUER:?})")),
    ] {
        let identity = text(send(app, "/known", &bearer(token)).await).await;
        assert!(identity.contains(&expected), "{identity}");
    }
}

#[tokio::test]
async fn configured_members_are_grants() {
    #[requires(permission = "orders:close")]
    async fn close() {}

    let server = Server::start().await;
    let mut answer = active();
    answer["scope"] = json!("write");
    answer["privileges"] = json!("read");
    answer["groups"] = json!(["admin"]);
    answer["rights"] = json!(["orders:close"]);
    server.says("token", answer);
    let of = |builder: IntrospectionBuilder| {
        let scheme = Bearer::introspection(builder.build().unwrap());
        let routes = GuardedRouter::new()
            .route("/read", get(read))
            .route("/admin", get(admin))
            .route("/close", get(close))
            .route("/known", get(known));
        routes.protect(space(scheme)).unwrap()
    };
    let configured = server
        .builder()
        .scope_claims(["privileges"])
        .roles_claim("groups")
        .permissions_claim("rights");
    for (app, status) in [(of(server.builder()), 403), (of(configured), 200)] {
        for path in ["/read", "/admin", "/close"] {
            let response = send(&app, path, &bearer("token")).await;
            assert_eq!(response.status(), status, "{path}");
        }
    }
    let configured = of(server.builder().scope_claims(["privileges"]));
    let identity = text(send(&configured, "/known", &bearer("token")).await).await;
    assert!(!identity.contains("write"), "{identity}");
}

/// Other programs could read the other member.
#[tokio::test]
async fn answers_with_member_twice_are_503() {
    let answer = r#"{"active":false,"active":true,"sub":"ann","scope":"read"}"#;
    let server = Router::new().route("/introspect", routing::post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, server).await });
    let builder = Introspection::builder()
        .endpoint(format!("http://{address}/introspect"))
        .client_secret("my-api", "secret")
        .any_audience();
    assert_eq!(status(&of(builder), "token").await, 503);
}

#[tokio::test]
async fn tokens_are_sent_as_they_are() {
    let server = Server::start().await;
    let app = server.app();
    for token in ["a+b/c==", "-._~", "a%20b"] {
        server.says(token, active());
        let expected = if token.contains('%') { 401 } else { 200 };
        assert_eq!(status(&app, token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn malformed_tokens_are_not_sent() {
    let server = Server::start().await;
    let app = server.app();
    for token in ["two words", "a,b", "=", "t\"", "a=b"] {
        let response = send(&app, "/read", &bearer(token)).await;
        let challenges = challenges(&response).join(", ");
        assert_eq!(response.status(), 401, "{token}");
        assert!(
            challenges.contains("the access token is malformed"),
            "{challenges}"
        );
    }
    assert_eq!(server.questions(), 0);
}
