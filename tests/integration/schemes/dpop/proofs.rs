//! Proofs, and the tokens that are bound to their key.

use std::time::SystemTime;

use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::Introspection;
use auth_tests::App;
use auth_tests::proof::token_hash;

use super::*;
use crate::schemes::introspection::{Server, active};

const BAD_TOKEN: &str = "DPoP realm=\"api\", scope=\"read\", error=\"invalid_token\", \
                         algs=\"ES256 PS256 EdDSA\", error_description=\"the access token is not \
                         valid\"";

/// A valid proof with this number of bytes. Base64 has not every length, so the header has to vary as well.
fn proof_of_length(client: &Client, length: usize) -> String {
    let padded = |header: usize, claims: usize| {
        let member = |length| json!({ "x": "x".repeat(length) });
        client.proof(member(header), member(claims))
    };
    let most = (length - padded(0, 0).len()) * 3 / 4;
    let pairs = (0..3).flat_map(|header| (most - 4..=most).map(move |claims| (header, claims)));
    let mut proofs = pairs.map(|(header, claims)| padded(header, claims));
    let proof = proofs.find(|proof| proof.len() == length);
    proof.expect("a proof of this length")
}

#[tokio::test]
async fn every_part_of_a_proof_counts() {
    let client = Client::new();
    let other = ProofKey::new();
    let app = app_of(dpop());
    let header = |changes: Value| client.changed(changes, json!({}));
    let claims = |changes: Value| client.changed(json!({}), changes);
    let bad = |name, lines| row(name, lines, 401, &[BAD_PROOF]);
    let good = |name, lines| row(name, lines, 200, &[]);
    let mut two_proofs = client.good();
    two_proofs.extend(client.good().split_off(1));
    let without_proof = authorization(format!("DPoP {}", client.token));
    let of_another_key = {
        let claims = other.claims("GET", READ, &client.token, now());
        client.with(other.sign(&other.header(), &claims))
    };
    let signed_by_another_key = {
        let claims = client.key.claims("GET", READ, &client.token, now());
        client.with(other.sign(&client.key.header(), &claims))
    };
    // In the order that `serde` reads the members in.
    let an_array = {
        let claims = client.key.claims("GET", READ, &client.token, now());
        let members = ["jti", "htm", "htu", "iat", "ath", "nonce"].map(|name| &claims[name]);
        client.with(client.key.sign(&client.key.header(), &json!(members)))
    };
    let mut private = client.key.jwk();
    private["d"] = json!("AQ");
    let symmetric = json!({ "kty": "oct", "k": "AQ" });
    let key_with = |name: &str, value: Value| {
        let mut key = client.key.jwk();
        key[name] = value;
        header(json!({ "jwk": key }))
    };
    let rows = vec![
        good("all well", client.good()),
        good("the type in capitals", header(json!({ "typ": "DPOP+JWT" }))),
        good(
            "the type in full",
            header(json!({ "typ": "application/dpop+jwt" })),
        ),
        bad("another type", header(json!({ "typ": "at+jwt" }))),
        bad("no type", header(json!({ "typ": null }))),
        bad("no algorithm", header(json!({ "alg": "none" }))),
        bad("a symmetric algorithm", header(json!({ "alg": "HS256" }))),
        bad(
            "an algorithm of other keys",
            header(json!({ "alg": "PS256" })),
        ),
        bad(
            "an algorithm that is not accepted",
            header(json!({ "alg": "ES384" })),
        ),
        bad("no key", header(json!({ "jwk": null }))),
        bad("a private key", header(json!({ "jwk": private }))),
        bad("a symmetric key", header(json!({ "jwk": symmetric }))),
        bad("a key for encryption", key_with("use", json!("enc"))),
        bad(
            "a key for encrypting only",
            key_with("key_ops", json!(["encrypt"])),
        ),
        bad(
            "a key for another algorithm",
            key_with("alg", json!("ES384")),
        ),
        good("a key for signatures", key_with("use", json!("sig"))),
        good("a key with a name", key_with("kid", json!("one"))),
        bad("something compressed", header(json!({ "zip": "DEF" }))),
        bad("something critical", header(json!({ "crit": ["lab"] }))),
        bad("a signature of another key", signed_by_another_key),
        bad("an array of the claims", an_array),
        bad("another method", claims(json!({ "htm": "POST" }))),
        bad(
            "the method in small letters",
            claims(json!({ "htm": "get" })),
        ),
        bad(
            "another path",
            claims(json!({ "htu": "https://api.example/known" })),
        ),
        bad(
            "a longer path",
            claims(json!({ "htu": "https://api.example/read/" })),
        ),
        bad(
            "another host",
            claims(json!({ "htu": "https://evil.example/read" })),
        ),
        bad(
            "another port",
            claims(json!({ "htu": "https://api.example:444/read" })),
        ),
        bad(
            "not encrypted",
            claims(json!({ "htu": "http://api.example/read" })),
        ),
        bad("a path alone", claims(json!({ "htu": "/read" }))),
        bad(
            "a URL without slashes",
            claims(json!({ "htu": "https:api.example/read" })),
        ),
        bad(
            "a URL with a line break",
            claims(json!({ "htu": "https://api.example/re\nad" })),
        ),
        good(
            "the port that goes without saying",
            claims(json!({ "htu": "https://API.example:443/read" })),
        ),
        good(
            "a query",
            claims(json!({ "htu": "https://api.example/read?a=b#c" })),
        ),
        good(
            "a letter in its code",
            claims(json!({ "htu": "https://api.example/%72ead" })),
        ),
        bad("made long ago", claims(json!({ "iat": now() - 120 }))),
        bad("made too far ahead", claims(json!({ "iat": now() + 120 }))),
        good("made a little ahead", claims(json!({ "iat": now() + 5 }))),
        bad("made at no time", claims(json!({ "iat": "now" }))),
        bad("expired", claims(json!({ "exp": now() - 600 }))),
        good("not expired", claims(json!({ "exp": now() + 30 }))),
        bad("not yet", claims(json!({ "nbf": now() + 600 }))),
        bad(
            "made in a year without end",
            claims(json!({ "iat": 1e300 })),
        ),
        bad("no id", claims(json!({ "jti": null }))),
        bad("an empty id", claims(json!({ "jti": "" }))),
        bad(
            "an id that nobody would remember",
            claims(json!({ "jti": "j".repeat(300) })),
        ),
        bad("for no token", claims(json!({ "ath": null }))),
        bad(
            "for another token",
            claims(json!({ "ath": token_hash("another") })),
        ),
        bad("no proof", without_proof),
        bad("two proofs", two_proofs),
        bad("an empty proof", client.with("")),
        bad("nonsense", client.with("a.b.c")),
        bad("no text", client.with([0xFF, 0xFE])),
        bad("longer than any", client.with("a".repeat(5000))),
        good("4096 bytes", client.with(proof_of_length(&client, 4096))),
        bad("4097 bytes", client.with(proof_of_length(&client, 4097))),
        row(
            "a key that the token is not bound to",
            of_another_key,
            401,
            &[BAD_TOKEN],
        ),
        good("all is well in the end", client.good()),
    ];
    check(&app, "/read", rows).await;
}

#[tokio::test]
async fn every_scheme_respects_the_binding() {
    let client = Client::new();
    let unbound = token(json!({ "scope": "read" }));
    let proof = client.key.prove("GET", READ, &unbound, now());
    let builder = ProtectionSpace::builder().realm("api");
    let builder = builder.scheme(Bearer::jwt(verifier()));
    let space = builder.scheme(dpop().build().unwrap()).build().unwrap();
    let app = app(space);
    const BAD_BEARER: &str = "Bearer realm=\"api\", scope=\"read\", error=\"invalid_token\", \
                              error_description=\"the access token is not valid\"";
    const DPOP: &str = "DPoP realm=\"api\", scope=\"read\", algs=\"ES256 PS256 EdDSA\"";
    const BEARER: &str = "Bearer realm=\"api\", scope=\"read\"";
    let mut proven = authorization(format!("DPoP {unbound}"));
    proven.push(("dpop", proof.into_bytes()));
    check(
        &app,
        "/read",
        vec![
            row("bound and proven", client.good(), 200, &[]),
            row("not bound", bearer(&unbound), 200, &[]),
            // A thief would send the token without a proof (RFC 9449 §7.2).
            row(
                "bound, and sent as if it were not",
                bearer(&client.token),
                401,
                &[BAD_BEARER, DPOP],
            ),
            row(
                "not bound, and sent as if it were",
                proven,
                401,
                &[BEARER, BAD_TOKEN],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn configured_nonces_are_required() {
    let client = Client::new();
    let key = [9; 32];
    let app = app_of(dpop().nonces_with_key(key));
    let nonce_of = |response: &Response| {
        let mut values = response.headers().get_all("dpop-nonce").iter();
        let nonce = values
            .next()
            .map(|value| value.to_str().unwrap().to_owned());
        assert!(values.next().is_none(), "at most one");
        nonce
    };
    let with = |nonce: &str| client.changed(json!({}), json!({ "nonce": nonce }));

    let anonymous = send(&app, "/read", &vec![]).await;
    let first = nonce_of(&anonymous).expect("the first answer brings one");
    let without = send(&app, "/read", &client.good()).await;
    assert_eq!(challenges(&without), [WANTS_NONCE]);
    let second = nonce_of(&without).expect("so does a refusal");
    assert_ne!(first, second);
    for nonce in [&first, &second, &second] {
        let response = send(&app, "/read", &with(nonce)).await;
        assert_eq!(response.status(), 200, "a nonce is good more than once");
    }
    for wrong in [
        "",
        "AAAA",
        &second[..second.len() - 1],
        &format!("{second}A"),
    ] {
        let response = send(&app, "/read", &with(wrong)).await;
        assert_eq!(challenges(&response), [WANTS_NONCE], "{wrong:?}");
    }
    // A nonce does not repair another error, and the response contains a new one in any case.
    let wrong = client.changed(json!({}), json!({ "nonce": second, "htm": "POST" }));
    let response = send(&app, "/read", &wrong).await;
    assert_eq!(challenges(&response), [BAD_PROOF]);
    assert!(nonce_of(&response).is_some());

    // Instances with the same key accept each other's nonces.
    let twin = app_of(dpop().nonces_with_key(key));
    assert_eq!(send(&twin, "/read", &with(&second)).await.status(), 200);
    let stranger = app_of(dpop().nonces());
    let response = send(&stranger, "/read", &with(&second)).await;
    assert_eq!(challenges(&response), [WANTS_NONCE]);
}

#[tokio::test]
async fn proofs_and_nonces_expire_by_clock() {
    let client = Client::new();
    let time = ManualClock::new(SystemTime::now());
    let app = app_of(dpop().nonces().clock(time.clock()));
    let anonymous = send(&app, "/read", &vec![]).await;
    let nonce = anonymous.headers()["dpop-nonce"].to_str().unwrap();
    let made_in =
        |seconds: i64| client.changed(json!({}), json!({ "nonce": nonce, "iat": now() + seconds }));
    let challenge = async |lines: Lines| {
        let response = send(&app, "/read", &lines).await;
        challenges(&response).first().map(|line| (*line).to_owned())
    };
    assert_eq!(challenge(made_in(0)).await, None);
    time.advance(Duration::from_secs(120));
    assert_eq!(
        challenge(made_in(0)).await.as_deref(),
        Some(WANTS_NONCE),
        "a newer nonce would count in place of the clock of the client"
    );
    assert_eq!(
        challenge(made_in(120)).await,
        None,
        "the nonce is good for longer"
    );
    time.advance(Duration::from_secs(240));
    assert_eq!(challenge(made_in(360)).await.as_deref(), Some(WANTS_NONCE));
}

#[tokio::test]
async fn the_target_is_the_public_one() {
    async fn at(app: &impl App, client: &Client, path: &str, htu: &str) -> StatusCode {
        let lines = client.changed(json!({}), json!({ "htu": htu }));
        send(app, path, &lines).await.status()
    }
    let client = Client::new();
    let space = space(dpop().origin("https://other.example:8443").build().unwrap());
    let inner = GuardedRouter::new()
        .route("/read", get(read))
        .route("/any/{*rest}", get(read));
    let app = GuardedRouter::new()
        .nest("/a", inner)
        .protect(space)
        .unwrap();
    assert_eq!(
        at(&app, &client, "/a/read", "https://api.example/a/read").await,
        200
    );
    assert_eq!(at(&app, &client, "/a/read", READ).await, 401);
    let other = "https://other.example:8443/a/read?x=1";
    assert_eq!(at(&app, &client, "/a/read?x=1", other).await, 200);
    assert_eq!(
        at(&app, &client, "/a/read", "https://other.example/a/read").await,
        401
    );
    // The normalized URL is another one, but the router uses the path as written.
    for path in ["/a/any/../read", "/a/any/%2e%2E/read", "/a/any/./read"] {
        for htu in ["https://api.example/a/read", &format!("{ORIGIN}{path}")] {
            assert_eq!(at(&app, &client, path, htu).await, 401, "{path} {htu}");
        }
    }
    let dotted = "/a/any/..read";
    let htu = format!("{ORIGIN}{dotted}");
    assert_eq!(at(&app, &client, dotted, &htu).await, 200);
}

#[tokio::test]
async fn doubly_bound_tokens_are_rejected() {
    let mut client = Client::new();
    client.token = token(json!({
        "scope": "read",
        "cnf": { "jkt": client.key.thumbprint(), "x5t#S256": "a certificate" },
    }));
    let app = app_of(dpop());
    assert_eq!(send(&app, "/read", &client.good()).await.status(), 401);
    assert_eq!(
        send(&app, "/read", &Client::new().good()).await.status(),
        200
    );
}

#[tokio::test]
async fn opaque_tokens_can_be_bound() {
    let mut client = Client::new();
    client.token = "an-opaque-token".to_owned();
    let answer = json!({
        "active": true, "sub": "ann", "scope": "read", "token_type": "DPoP",
        "cnf": { "jkt": client.key.thumbprint() },
    });
    let endpoint = axum::routing::post(async move || axum::Json(answer));
    let address = auth_tests::serve(Router::new().route("/introspect", endpoint)).await;
    let introspection = Introspection::builder()
        .endpoint(format!("http://{address}/introspect"))
        .client_secret("api", "secret")
        .any_audience()
        .build()
        .unwrap();
    let app = app_of(Dpop::introspection(introspection).origin(ORIGIN));
    assert_eq!(send(&app, "/read", &client.good()).await.status(), 200);
    let thief = Client {
        key: ProofKey::new(),
        token: client.token,
    };
    let response = send(&app, "/read", &thief.good()).await;
    assert_eq!(challenges(&response), [BAD_TOKEN]);
}

/// Servers name the type of a bound token in several ways. A refresh token of the client is bound as well.
#[tokio::test]
async fn opaque_access_tokens_have_several_types() {
    let server = Server::start().await;
    let introspection = server.builder().build().unwrap();
    let app = app_of(Dpop::introspection(introspection).origin(ORIGIN));
    for (kind, expected) in [
        (json!("DPoP"), 200),
        (json!("dpop"), 200),
        (json!("Bearer"), 200),
        (json!("access_token"), 200),
        (json!(null), 200),
        (json!("refresh_token"), 401),
        (json!("N_A"), 401),
    ] {
        let mut client = Client::new();
        client.token = format!("of-type-{kind}").replace('"', "");
        let mut answer = active();
        answer["token_type"] = kind;
        answer["cnf"] = json!({ "jkt": client.key.thumbprint() });
        server.says(&client.token, answer);
        // The second response is from the cache.
        for _ in 0..2 {
            let response = send(&app, "/read", &client.good()).await;
            assert_eq!(response.status(), expected, "{}", client.token);
        }
    }
}

#[test]
fn invalid_schemes_are_not_built() {
    let unnamed = || Dpop::jwt(verifier());
    for (builder, message) in [
        (
            unnamed(),
            "the origin of the service is missing; name it with `.origin(\"https://…\")`",
        ),
        (
            unnamed().origin("https://api.example/v1/"),
            "\"https://api.example/v1/\" is not an origin; write scheme, host and port, and a prefix that \
             a gateway removes, without a slash at the end, such as \"https://api.example\"",
        ),
        (
            unnamed().origin("api.example"),
            "\"api.example\" is not an origin; write scheme, host and port, and a prefix that a gateway \
             removes, without a slash at the end, such as \"https://api.example\"",
        ),
        (
            dpop().proof_lifetime(Duration::ZERO),
            "the lifetime of a proof is 0 seconds; 1 to 600 are allowed",
        ),
        (
            dpop().proof_lifetime(Duration::from_secs(601)),
            "the lifetime of a proof is 601 seconds; 1 to 600 are allowed",
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), message);
    }
    for name in ["HS256", "none", "ES256K", ""] {
        let error = dpop()
            .algorithms(["ES256", name])
            .build()
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!("{name:?} is not a signature algorithm for proofs")
        );
    }
}
