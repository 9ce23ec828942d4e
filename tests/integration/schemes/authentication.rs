//! Rejected and unverifiable callers of every scheme with explicit credentials.

use std::time::Duration;

use auth_runtime::public;
use auth_runtime::schemes::{
    CertificateSource, Digest, DigestAlgorithm, DigestSecret, Dpop, Introspection, Sessions, Tokens,
};
use auth_tests::digest::Login;
use auth_tests::proof::ProofKey;

use super::*;

#[public(reason = "for all; members see more", identity = optional)]
async fn optional() {}

fn service(scheme: impl Scheme) -> ProtectedRouter {
    GuardedRouter::new()
        .route("/known", get(known))
        .route("/optional", get(optional))
        .protect(space(scheme))
        .expect("routes")
}

/// A response to a challenge that was never sent.
fn digest(algorithm: &str, target: &str) -> Lines {
    let login = Login {
        uri: target.to_owned(),
        nonce: "x".to_owned(),
        ..Login::new(algorithm, "ann", "api", "guess")
    };
    authorization(login.authorization())
}

fn unknown_digest(target: &str) -> Lines {
    let lines = digest("SHA-256", target);
    let text = |value: Vec<u8>| String::from_utf8(value).expect("ASCII");
    let lines = lines.into_iter().map(|(name, value)| {
        let value = text(value).replace("algorithm=SHA-256", "algorithm=SHA-512-256");
        (name, value.into_bytes())
    });
    lines.collect()
}

/// The owner of invalid credentials has to learn that they are invalid (rule 6).
#[tokio::test]
async fn every_scheme_reports_rejected_credentials() {
    let secret = DigestSecret::of(DigestAlgorithm::Sha256, "ann", "api", "secret");
    let digests = Digest::builder("api").user(secret.expect("a name"), Identity::new("ann"));
    let digests = service(digests.build().expect("a scheme"));
    let hashes = PasswordHashes::builder().user_verified_by("ann", |_| false, Identity::new("ann"));
    let keys = ApiKeys::builder().key("k-4f1c0b6e9a8d47d2", Identity::new("billing"));
    let basics = service(Basic::new(async |_, _| Caller::rejected()));
    let bearers = service(Bearer::new(async |_| Caller::rejected()));
    let hashed = service(Basic::password_hashes(hashes.build().expect("hashes")));
    let keyed = service(keys.build().expect("keys"));
    let tokens = service(Tokens::new("Token", async |_| Caller::rejected()));
    let key: Lines = vec![("x-api-key", b"k-0000000000000000".to_vec())];
    for target in ["/known", "/optional", "/nowhere"] {
        for (name, app, lines) in [
            ("Basic", &basics, basic("ann:guess")),
            ("malformed Basic", &basics, authorization("Basic ???")),
            ("password hashes", &hashed, basic("ann:guess")),
            ("an unknown user", &hashed, basic("eve:guess")),
            ("Digest", &digests, digest("SHA-256", target)),
            ("Digest, not offered", &digests, digest("MD5", target)),
            ("an unknown algorithm", &digests, unknown_digest(target)),
            ("malformed Digest", &digests, authorization("Digest x")),
            ("Bearer", &bearers, bearer("x")),
            ("malformed Bearer", &bearers, bearer("x y")),
            ("API keys", &keyed, key.clone()),
            ("tokens", &tokens, authorization("Token x")),
        ] {
            let response = send(app, target, &lines).await;
            assert_eq!(response.status(), 401, "{name}: {target}");
            assert_eq!(challenges(&response).len(), 1, "{name}: {target}");
        }
    }
    for app in [&basics, &bearers, &hashed, &digests, &keyed, &tokens] {
        for (target, status) in [("/known", 401), ("/optional", 200), ("/nowhere", 404)] {
            assert_eq!(send(app, target, &vec![]).await.status(), status);
        }
    }
}

/// The service determines the time of the next attempt.
#[tokio::test]
async fn functions_report_outages_for_every_scheme() {
    const BUSY: Caller = Caller::Unverifiable {
        retry_after: Some(Duration::from_secs(17)),
    };
    for (name, app, lines) in [
        (
            "Basic",
            service(Basic::new(async |_, _| BUSY)),
            basic("ann:x"),
        ),
        ("Bearer", service(Bearer::new(async |_| BUSY)), bearer("x")),
        (
            "tokens",
            service(Tokens::new("Token", async |_| BUSY)),
            authorization("Token x"),
        ),
        (
            "API keys",
            service(ApiKeys::look_up(async |_| BUSY).build().expect("keys")),
            vec![("x-api-key", b"x".to_vec())],
        ),
    ] {
        for target in ["/known", "/nowhere"] {
            let response = send(&app, target, &lines).await;
            assert_eq!(response.status(), 503, "{name}: {target}");
            assert_eq!(response.headers()["retry-after"], "17", "{name}: {target}");
            assert!(challenges(&response).is_empty(), "{name}: {target}");
        }
    }
}

/// Several credentials are verified in another way than one.
#[tokio::test]
async fn outages_keep_time_beside_other_credentials() {
    let busy = || Caller::Unverifiable {
        retry_after: Some(Duration::from_secs(17)),
    };
    let sessions = Sessions::look_up(move |_| std::future::ready(busy())).cookie("id");
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::new(move |_| std::future::ready(busy())))
        .scheme(sessions.build().expect("a scheme"));
    let app = app(space.build().expect("a space"));
    let cookies = |value: &str| -> Lines { vec![("cookie", value.into())] };
    for lines in [
        [bearer("x"), cookies("id=1")].concat(),
        cookies("id=1; id=2"),
    ] {
        for target in ["/known", "/nowhere"] {
            let response = send(&app, target, &lines).await;
            assert_eq!(response.status(), 503, "{target} {lines:?}");
            let after = &response.headers()["retry-after"];
            assert_eq!(after, "17", "{target} {lines:?}");
        }
    }
}

/// The issuer is out of order, and not the token, whichever place it is in (rule 4).
#[tokio::test]
async fn issuer_outages_are_503_in_schemes() {
    const CLOSED: &str = "http://127.0.0.1:1";
    const ORIGIN: &str = "https://api.example";
    let jwt = || {
        let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
        let jwt = jwt.jwks_url(format!("{CLOSED}/keys")).build();
        jwt.expect("a verifier")
    };
    let opaque = || {
        let introspection = Introspection::builder()
            .endpoint(format!("{CLOSED}/introspect"))
            .client_secret("api", "secret")
            .any_audience();
        introspection.build().expect("an endpoint")
    };
    let token = tokens::rs256(json!({}));
    let key = ProofKey::new();
    let proved = |target: &str| -> Lines {
        let proof = key.prove("GET", &format!("{ORIGIN}{target}"), &token, tokens::now());
        let mut lines = authorization(format!("DPoP {token}"));
        lines.push(("dpop", proof.into_bytes()));
        lines
    };
    let field: Lines = vec![("x-token", token.clone().into_bytes())];
    let cookie: Lines = vec![("cookie", format!("token={token}").into_bytes())];
    let offered = format!("bearer, {token}").into_bytes();
    let subprotocol: Lines = vec![("sec-websocket-protocol", offered)];
    let connection = CertificateSource::connection;
    for target in ["/known", "/nowhere"] {
        for (name, app, lines) in [
            ("Bearer", service(Bearer::jwt(jwt())), bearer(&token)),
            (
                "introspection",
                service(Bearer::introspection(opaque())),
                bearer(&token),
            ),
            (
                "Bearer with certificates",
                service(Bearer::jwt(jwt()).client_certificate(connection())),
                bearer(&token),
            ),
            (
                "introspection with certificates",
                service(Bearer::introspection(opaque()).client_certificate(connection())),
                bearer(&token),
            ),
            (
                "DPoP",
                service(Dpop::jwt(jwt()).origin(ORIGIN).build().expect("a scheme")),
                proved(target),
            ),
            (
                "DPoP with introspection",
                service(
                    Dpop::introspection(opaque())
                        .origin(ORIGIN)
                        .build()
                        .expect("a scheme"),
                ),
                proved(target),
            ),
            (
                "a field",
                service(jwt().in_field("x-token").build().expect("a scheme")),
                field.clone(),
            ),
            (
                "a cookie",
                service(jwt().in_cookie("token").build().expect("a scheme")),
                cookie.clone(),
            ),
            (
                "a subprotocol",
                service(jwt().in_subprotocol("bearer").build().expect("a scheme")),
                subprotocol.clone(),
            ),
        ] {
            let response = send(&app, target, &lines).await;
            assert_eq!(response.status(), 503, "{name}: {target}");
            assert!(
                response.headers().contains_key("retry-after"),
                "{name}: {target}"
            );
            assert!(
                !response.headers().contains_key("set-cookie"),
                "{name}: {target}"
            );
            assert!(challenges(&response).is_empty(), "{name}: {target}");
        }
    }
}

/// A client that may retry at once would do so without end. One that may retry too early receives a second 503.
#[tokio::test]
async fn next_attempts_follow_after_a_second() {
    for (delay, expected) in [
        (0, "1"),
        (999, "1"),
        (1_000, "1"),
        (1_001, "2"),
        (2_500, "3"),
    ] {
        let busy = Caller::Unverifiable {
            retry_after: Some(Duration::from_millis(delay)),
        };
        let app = service(Bearer::new(move |_| std::future::ready(busy.clone())));
        let response = send(&app, "/known", &bearer("x")).await;
        assert_eq!(response.headers()["retry-after"], expected, "{delay} ms");
    }
}
