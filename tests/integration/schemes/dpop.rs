//! Tokens that are bound to a key, and proofs of possession.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::routing::post;
use auth_runtime::schemes::{
    Dpop, DpopBuilder, Introspection, ReplayStore, ReplayStoreError, UsedProof,
};
use auth_runtime::{ProtectedRouter, public};
use auth_tests::proof::{ProofKey, token_hash};
use auth_tests::{App, token, verifier};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::schemes::tokens::now;
use crate::schemes::*;

const ORIGIN: &str = "https://api.example";
const READ: &str = "https://api.example/read";
const BAD_PROOF: &str = "DPoP realm=\"api\", scope=\"read\", error=\"invalid_dpop_proof\", \
                         algs=\"ES256 PS256 EdDSA\", error_description=\"the proof of possession \
                         is missing or not valid\"";
const BAD_TOKEN: &str = "DPoP realm=\"api\", scope=\"read\", error=\"invalid_token\", \
                         algs=\"ES256 PS256 EdDSA\", error_description=\"the access token is not \
                         valid\"";
const WANTS_NONCE: &str = "DPoP realm=\"api\", scope=\"read\", error=\"use_dpop_nonce\", \
                           algs=\"ES256 PS256 EdDSA\", error_description=\"the proof of \
                           possession needs the nonce that comes with this answer\"";

/// A client with a key, and a token that is bound to it.
struct Client {
    key: ProofKey,
    token: String,
}

impl Client {
    fn new() -> Self {
        let key = ProofKey::new();
        let confirmation = json!({ "scope": "read", "cnf": { "jkt": key.thumbprint() } });
        Self {
            token: token(confirmation),
            key,
        }
    }

    /// A request with this proof.
    fn with(&self, proof: impl Into<Vec<u8>>) -> Lines {
        let mut lines = authorization(format!("DPoP {}", self.token));
        lines.push(("dpop", proof.into()));
        lines
    }

    /// A request with a valid proof, except for these changes of its header and its claims.
    fn changed(&self, header: Value, claims: Value) -> Lines {
        self.with(self.proof(header, claims))
    }

    fn proof(&self, header: Value, claims: Value) -> String {
        let mut own_header = self.key.header();
        let mut own_claims = self.key.claims("GET", READ, &self.token, now());
        for (own, changes) in [(&mut own_header, header), (&mut own_claims, claims)] {
            let own = own.as_object_mut().expect("an object");
            own.extend(changes.as_object().expect("an object").clone());
        }
        self.key.sign(&own_header, &own_claims)
    }

    fn good(&self) -> Lines {
        self.changed(json!({}), json!({}))
    }
}

fn dpop() -> DpopBuilder {
    Dpop::jwt(verifier()).origin(ORIGIN)
}

fn app_of(dpop: DpopBuilder) -> ProtectedRouter {
    app(space(dpop.build().expect("it is in order")))
}

#[tokio::test]
async fn a_proof_has_to_be_right_in_every_point() {
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
async fn a_proof_is_good_once() {
    let client = Client::new();
    let app = app_of(dpop());
    let proof = client.good();
    check(
        &app,
        "/read",
        vec![
            row("the first time", proof.clone(), 200, &[]),
            row("overheard", proof, 401, &[BAD_PROOF]),
            row("a new one", client.good(), 200, &[]),
        ],
    )
    .await;
    // The same id with another key is another proof.
    let id = json!({ "jti": "the same" });
    for client in [client, Client::new()] {
        let lines = client.changed(json!({}), id.clone());
        assert_eq!(send(&app, "/read", &lines).await.status(), 200);
    }
}

#[tokio::test]
async fn of_a_hundred_that_use_one_proof_at_once_one_gets_in() {
    let client = Client::new();
    let app = app_of(dpop());
    let proof = client.good();
    let requests = (0..100).map(|_| {
        let (app, proof) = (app.clone(), proof.clone());
        tokio::spawn(async move { send(&app, "/read", &proof).await.status() })
    });
    let requests: Vec<_> = requests.collect();
    let mut let_in = 0;
    for request in requests {
        let_in += usize::from(request.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(let_in, 1);
}

#[tokio::test]
async fn a_proof_that_proves_nothing_is_not_remembered() {
    let client = Client::new();
    let app = app_of(dpop());
    let thief = ProofKey::new();
    let id = json!({ "jti": "mine" });
    let mut claims = thief.claims("GET", READ, &client.token, now());
    claims["jti"] = id["jti"].clone();
    let stolen = client.with(thief.sign(&thief.header(), &claims));
    assert_eq!(send(&app, "/read", &stolen).await.status(), 401);
    let own = client.changed(json!({}), id);
    assert_eq!(send(&app, "/read", &own).await.status(), 200);
}

#[tokio::test]
async fn who_is_bound_is_bound_by_every_scheme() {
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
async fn a_nonce_of_the_servers_is_wanted_where_it_is_configured() {
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
async fn the_target_is_the_one_that_the_client_sees() {
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

/// A store that is unavailable.
struct Broken;

impl ReplayStore for Broken {
    async fn is_first(&self, _proof: UsedProof) -> Result<bool, ReplayStoreError> {
        Err(ReplayStoreError)
    }
}

/// A store that keeps everything.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<UsedProof>>>);

impl ReplayStore for Recorder {
    async fn is_first(&self, proof: UsedProof) -> Result<bool, ReplayStoreError> {
        self.0.lock().expect("no panic").push(proof);
        Ok(true)
    }
}

#[tokio::test]
async fn proofs_of_all_keys_count_for_the_subject() {
    let client_of = |subject: &str| {
        let key = ProofKey::new();
        let confirmation = json!({ "jkt": key.thumbprint() });
        let claims = json!({ "sub": subject, "scope": "read", "cnf": confirmation });
        Client {
            token: token(claims),
            key,
        }
    };
    let recorder = Recorder::default();
    let app = app_of(dpop().replay_store(recorder.clone()));
    for subject in ["mallory", "mallory", "ann"] {
        let response = send(&app, "/read", &client_of(subject).good()).await;
        assert_eq!(response.status(), 200);
    }
    let used = recorder.0.lock().expect("no panic");
    let [one, other, ann] = used.as_slice() else {
        panic!("{used:?}");
    };
    assert_eq!(one.subject(), other.subject());
    assert_ne!(one.subject(), ann.subject());
    assert_ne!(one.id(), other.id());
    assert!(one.lifetime() <= Duration::from_secs(60));
}

#[tokio::test]
async fn who_cannot_be_told_from_a_thief_is_told_503() {
    let client = Client::new();
    let app = app_of(dpop().replay_store(Broken));
    let response = send(&app, "/read", &client.good()).await;
    assert_eq!(response.status(), 503);
    assert!(challenges(&response).is_empty());
    assert!(response.headers().contains_key("retry-after"));
    // An invalid proof is rejected before the store is used.
    let bad = client.changed(json!({}), json!({ "htm": "POST" }));
    assert_eq!(send(&app, "/read", &bad).await.status(), 401);
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_too_is_rejected() {
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
async fn opaque_tokens_can_be_bound_too() {
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

#[test]
fn what_cannot_be_right_is_found_when_the_scheme_is_built() {
    let unnamed = || Dpop::jwt(verifier());
    for (builder, message) in [
        (
            unnamed(),
            "the origin of the service is missing; name it with `.origin(\"https://…\")`",
        ),
        (
            unnamed().origin("https://api.example/v1"),
            "\"https://api.example/v1\" is not an origin; write scheme, host and port only, such \
             as \"https://api.example\"",
        ),
        (
            unnamed().origin("api.example"),
            "\"api.example\" is not an origin; write scheme, host and port only, such as \
             \"https://api.example\"",
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
        let error = dpop().algorithms(["ES256", name]).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{name:?} is not a signature algorithm for proofs")
        );
    }
}

#[requires(scope = "read", hide_as = 404)]
async fn hidden_form(guard: Guard, body: String) -> String {
    format!("{} {body}", guard.identity().subject())
}

#[public(reason = "there is nothing")]
async fn nothing() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "nothing")
}

#[tokio::test]
async fn a_proof_beside_a_form_is_verified_once() {
    let layer = || {
        let value = HeaderValue::from_static("1");
        SetResponseHeaderLayer::appending(http::HeaderName::from_static("x-layer"), value)
    };
    let route = || GuardedRouter::new().route("/hidden", post(hidden_form));
    let client = Client::new();
    for (name, router) in [
        ("no layer", route()),
        (
            "a layer around the method",
            GuardedRouter::new().route("/hidden", post(hidden_form).layer(layer())),
        ),
        (
            "a layer around the route",
            GuardedRouter::new().merge(route().layer(layer())),
        ),
        (
            "a nested router",
            GuardedRouter::new()
                .nest("/nested", route())
                .fallback(nothing),
        ),
        (
            "a layered fallback",
            GuardedRouter::new()
                .fallback(nothing)
                .layer(layer())
                .merge(route()),
        ),
    ] {
        let space = ProtectionSpace::builder()
            .realm("api")
            .scheme(Bearer::jwt(verifier()).accept_form())
            .scheme(dpop().build().expect("a scheme"));
        let app = router
            .protect(space.build().expect("a space"))
            .expect("a router");
        let path = if name == "a nested router" {
            "/nested/hidden"
        } else {
            "/hidden"
        };
        let ask = async |path: &str, body: &str| {
            let proof = client
                .key
                .prove("POST", &format!("{ORIGIN}{path}"), &client.token, now());
            let request = Request::post(path)
                .header("authorization", format!("DPoP {}", client.token))
                .header("dpop", proof)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(body.to_owned()))
                .expect("a request");
            app.clone().oneshot(request).await.expect("infallible")
        };
        let granted = ask(path, "a=b").await;
        assert_eq!(granted.status(), 200, "{name}");
        assert_eq!(text(granted).await, "ann a=b", "{name}");
        assert_eq!(ask("/nowhere", "a=b").await.status(), 404, "{name}");
        for path in [path, "/nowhere"] {
            let ambiguous = ask(path, "access_token=x").await;
            assert_eq!(ambiguous.status(), 400, "{name} {path}");
        }
    }
}

#[tokio::test]
async fn a_token_in_a_form_is_verified_again_behind_a_layer() {
    let replacing = axum::middleware::map_request(async |request: Request| {
        let (head, _) = request.into_parts();
        Request::from_parts(head, Body::from("access_token=x"))
    });
    let app = GuardedRouter::new()
        .route("/hidden", post(hidden_form).layer(replacing))
        .protect(space(Bearer::jwt(verifier()).accept_form()))
        .expect("a router");
    let token = token(json!({ "scope": "read" }));
    let request = Request::post("/hidden")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("access_token={token}")))
        .expect("a request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), 401);
}
