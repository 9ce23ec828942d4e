//! Proofs of possession, compared with `oauth4webapi`.
//!
//! As a client it makes proofs, all of which are accepted. As a resource server it judges odd proofs. It does not
//! remember proofs, so no proof is sent twice here.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::schemes::{Dpop, Jwt, JwtKey};
use auth_runtime::{Guard, GuardedRouter, ProtectedRouter, ProtectionSpace, requires};
use auth_tests::proof::{ProofKey, signed, token_hash};
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::known::{Known, Seen, compare};
use crate::lab;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://api.example";
const URL: &str = "https://api.example/read";

#[requires(authenticated)]
async fn subject(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(now.as_secs()).expect("before year 9999")
}

/// The key of the issuer, and a service that trusts it.
struct Lab {
    issuer: ProofKey,
    app: ProtectedRouter,
}

impl Lab {
    fn new() -> Self {
        let issuer = ProofKey::new();
        let key = JwtKey::es256_pem(issuer.public_pem()).expect("a key");
        let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
        let dpop = Dpop::jwt(jwt.rfc9068_only().build().expect("a verifier"))
            .origin("https://api.example")
            .algorithms(["ES256", "PS256", "RS256", "EdDSA", "ES384"])
            .proof_lifetime(Duration::from_secs(300));
        let space = ProtectionSpace::builder()
            .realm("lab")
            .scheme(dpop.build().expect("a scheme"));
        let app = GuardedRouter::new()
            .route("/", get(subject).post(subject))
            .route("/{*rest}", get(subject).post(subject))
            .protect(space.build().expect("a space"))
            .expect("a router");
        Self { issuer, app }
    }

    /// Returns a token that is bound to this key.
    fn token(&self, thumbprint: &str) -> String {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "client_id": "lab", "jti": "1", "iat": now(),
            "exp": now() + 600, "cnf": { "jkt": thumbprint },
        });
        let header = json!({ "typ": "at+jwt", "alg": "ES256" });
        self.issuer.sign(&header, &claims)
    }

    /// Returns the subject, if the request is accepted.
    async fn own(&self, method: &str, url: &str, token: &str, proof: &str) -> Option<String> {
        let target = url.strip_prefix("https://api.example").expect("our origin");
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", proof);
        let request = request.body(Body::empty()).expect("a request");
        let response = self.app.clone().oneshot(request).await.expect("infallible");
        let is_accepted = response.status() == 200;
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        is_accepted.then(|| String::from_utf8_lossy(&body).into_owned())
    }

    /// Runs the script with its requests and wishes.
    fn script(&self, requests: &[Value], algorithms: &[&str], wanted: &[Value]) -> Value {
        let input = json!({
            "issuer": ISSUER, "audience": AUDIENCE, "jwks": { "keys": [self.issuer.jwk()] },
            "requests": requests, "algorithms": algorithms, "wanted": wanted,
        });
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), input.to_string()).expect("a file");
        let mut node = Command::new("node");
        node.arg("differential_dpop.mjs")
            .arg(file.path())
            .current_dir(lab());
        let output = node.output().expect("node runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"))
    }
}

/// Kinds, with changes of the header and of the claims.
fn changes(key: &ProofKey) -> Vec<(String, Value, Value)> {
    let now = now();
    let none = || json!({});
    let key_with = |name: &str, value: Value| {
        let mut jwk = key.jwk();
        jwk[name] = value;
        json!({ "jwk": jwk })
    };
    let mut changes = vec![("valid".to_owned(), none(), none())];
    for (kind, header) in [
        ("typ in upper case", json!({ "typ": "DPOP+JWT" })),
        ("typ in full", json!({ "typ": "application/dpop+jwt" })),
        ("typ missing", json!({ "typ": null })),
        ("typ jwt", json!({ "typ": "JWT" })),
        ("typ number", json!({ "typ": 1 })),
        ("alg none", json!({ "alg": "none" })),
        ("alg HS256", json!({ "alg": "HS256" })),
        ("alg of other keys", json!({ "alg": "PS256" })),
        ("alg of another curve", json!({ "alg": "ES384" })),
        ("alg in lower case", json!({ "alg": "es256" })),
        ("jwk missing", json!({ "jwk": null })),
        ("jwk text", json!({ "jwk": "key" })),
        ("jwk private", json!({ "jwk": key.private_jwk() })),
        (
            "jwk symmetric",
            json!({ "jwk": { "kty": "oct", "k": "AQAB" } }),
        ),
        (
            "jwk of another key",
            json!({ "jwk": ProofKey::new().jwk() }),
        ),
        ("jwk with use sig", key_with("use", json!("sig"))),
        ("jwk with use enc", key_with("use", json!("enc"))),
        (
            "jwk with key_ops verify",
            key_with("key_ops", json!(["verify"])),
        ),
        (
            "jwk with key_ops encrypt",
            key_with("key_ops", json!(["encrypt"])),
        ),
        ("jwk with alg", key_with("alg", json!("ES256"))),
        ("jwk with another alg", key_with("alg", json!("ES384"))),
        ("jwk with kid", key_with("kid", json!("k1"))),
        ("jwk with another curve", key_with("crv", json!("P-384"))),
        ("jwk with an unknown member", key_with("lab", json!(1))),
        (
            "jwk with padding",
            key_with(
                "x",
                json!(format!("{}=", key.jwk()["x"].as_str().unwrap_or_default())),
            ),
        ),
        ("kid", json!({ "kid": "k1" })),
        ("crit", json!({ "crit": ["lab"] })),
        ("crit of nothing", json!({ "crit": [] })),
        ("b64 false", json!({ "b64": false })),
        ("zip", json!({ "zip": "DEF" })),
        ("an unknown header", json!({ "lab": 1 })),
    ] {
        changes.push((kind.to_owned(), header, none()));
    }
    for (kind, claims) in [
        ("htm of another method", json!({ "htm": "POST" })),
        ("htm in lower case", json!({ "htm": "get" })),
        ("htm missing", json!({ "htm": null })),
        ("htm array", json!({ "htm": ["GET"] })),
        ("htu missing", json!({ "htu": null })),
        ("htu number", json!({ "htu": 1 })),
        ("iat missing", json!({ "iat": null })),
        ("iat text", json!({ "iat": now.to_string() })),
        ("iat with a fraction", json!({ "iat": now as f64 + 0.5 })),
        ("iat 4 minutes ago", json!({ "iat": now - 240 })),
        ("iat 6 minutes ago", json!({ "iat": now - 360 })),
        ("iat in 5 seconds", json!({ "iat": now + 5 })),
        ("iat in 2 minutes", json!({ "iat": now + 120 })),
        ("iat in 6 minutes", json!({ "iat": now + 360 })),
        ("iat negative", json!({ "iat": -1 })),
        ("iat beyond all clocks", json!({ "iat": 1e300 })),
        ("exp later", json!({ "exp": now + 300 })),
        ("exp long ago", json!({ "exp": now - 300 })),
        ("exp text", json!({ "exp": "never" })),
        ("nbf earlier", json!({ "nbf": now - 300 })),
        ("nbf later", json!({ "nbf": now + 300 })),
        ("nbf text", json!({ "nbf": "now" })),
        ("jti missing", json!({ "jti": null })),
        ("jti empty", json!({ "jti": "" })),
        ("jti number", json!({ "jti": 1 })),
        ("jti of 300 characters", json!({ "jti": "j".repeat(300) })),
        ("jti of other scripts", json!({ "jti": "\u{fc}\u{1f511}" })),
        ("ath missing", json!({ "ath": null })),
        (
            "ath of another token",
            json!({ "ath": token_hash("another") }),
        ),
        ("ath empty", json!({ "ath": "" })),
        ("ath number", json!({ "ath": 1 })),
        ("nonce of nobody", json!({ "nonce": "n" })),
        ("nonce number", json!({ "nonce": 1 })),
        ("iss", json!({ "iss": "lab" })),
        ("aud", json!({ "aud": "https://other.example" })),
        ("sub", json!({ "sub": "bob" })),
        ("an unknown claim", json!({ "lab": [1] })),
    ] {
        changes.push((kind.to_owned(), none(), claims));
    }
    for htu in [
        "https://api.example/read?a=b",
        "https://api.example/read#c",
        "https://api.example/read?",
        "HTTPS://api.example/read",
        "https://API.EXAMPLE/read",
        "https://api.example:443/read",
        "https://api.example:/read",
        "https://api.example:0443/read",
        "https://api.example:444/read",
        "https://api.example/%72ead",
        "https://api.example/rea%64",
        "https://api.example/./read",
        "https://api.example/x/../read",
        "https://api.example/%2e/read",
        "https://api.example//read",
        "https://api.example/read/",
        "https://api.example/Read",
        "https://api.example/read%20",
        "https://api.example/read ",
        " https://api.example/read",
        "https://api.example/re\nad",
        "https://api.example\\read",
        "https:api.example/read",
        "https:/api.example/read",
        "https:///api.example/read",
        "//api.example/read",
        "/read",
        "",
        "http://api.example/read",
        "wss://api.example/read",
        "https://user@api.example/read",
        "https://user:password@api.example/read",
        "https://@api.example/read",
        "https://api.example./read",
        "https://evil.example/read",
        "https://api.example.evil.example/read",
        "https://\u{ff41}pi.example/read",
        "https://api\u{3002}example/read",
        "https://%61pi.example/read",
    ] {
        changes.push((format!("htu {htu:?}"), none(), json!({ "htu": htu })));
    }
    changes
}

const DISAGREEMENTS: &[Known<2>] = &[
    Known {
        accepted: [false, true],
        reason: "RFC 3986 §2 and §3: not a URL. The parser of browsers repairs it (WHATWG URL §4.4)",
        kinds: &[
            "htu \" https://api.example/read\"",
            "htu \"https:///api.example/read\"",
            "htu \"https://api.example/re\\nad\"",
            "htu \"https://api.example/read \"",
            "htu \"https://api.example\\\\read\"",
            "htu \"https://api。example/read\"",
            "htu \"https://ａpi.example/read\"",
            "htu \"https:/api.example/read\"",
            "htu \"https:api.example/read\"",
        ],
    },
    Known {
        accepted: [true, false],
        reason: "RFC 9449 §4.3: normalization of the syntax, by which an unnecessary escape is its \
                 character (RFC 3986 §6.2.2.2)",
        kinds: &[
            "htu \"https://api.example/%72ead\"",
            "htu \"https://api.example/rea%64\"",
        ],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9449 §4.3 (11): the time is within an acceptable window, which is 10 seconds \
                 ahead here by default",
        kinds: &["iat in 2 minutes"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9449 §4.2: `jti` identifies the proof; an empty one does not, and one of 300 \
                 characters would not be remembered",
        kinds: &["jti empty", "jti of 300 characters"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 7517 §4.2 and §4.3: the key is not for signatures",
        kinds: &["jwk with key_ops encrypt", "jwk with use enc"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9449 §4.2: `nonce` is the value of a field, and therefore a string",
        kinds: &["nonce number"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 7516 §4.1.3: `zip` belongs to encrypted tokens",
        kinds: &["zip"],
    },
];

#[tokio::test]
async fn oauth4webapi_accepts_the_same_proofs() {
    let lab = Lab::new();
    let key = ProofKey::new();
    let token = lab.token(&key.thumbprint());
    let mut proofs = Vec::new();
    for (kind, header, claims) in changes(&key) {
        let mut own_header = key.header();
        let mut own_claims = key.claims("GET", URL, &token, now());
        for (own, changes) in [(&mut own_header, header), (&mut own_claims, claims)] {
            let changes = changes.as_object().expect("an object").clone();
            own.as_object_mut().expect("an object").extend(changes);
        }
        proofs.push((kind, key.sign(&own_header, &own_claims)));
    }
    let pem = EncodingKey::from_ec_pem(ProofKey::new().private_pem().as_bytes());
    let claims = key.claims("GET", URL, &token, now());
    let forged = signed(
        &key.header(),
        &claims,
        &pem.expect("a key"),
        Algorithm::ES256,
    );
    proofs.push(("a signature of another key".to_owned(), forged));
    for (kind, edit) in [
        (
            "padding behind",
            (|proof| format!("{proof}=")) as fn(String) -> String,
        ),
        ("a dot behind", |proof| format!("{proof}.")),
        ("a fourth part", |proof| format!("{proof}.AQAB")),
        ("a space inside", |proof| proof.replacen('.', ". ", 1)),
        ("two proofs", |proof| format!("{proof}, {proof}")),
        ("without a signature", |proof| {
            let (start, _) = proof.rsplit_once('.').expect("three parts");
            format!("{start}.")
        }),
        ("nothing", |_| "a.b.c".to_owned()),
    ] {
        proofs.push((kind.to_owned(), edit(key.prove("GET", URL, &token, now()))));
    }
    let requests: Vec<Value> = proofs
        .iter()
        .map(|(_, proof)| json!({ "url": URL, "method": "GET", "token": token, "proof": proof }))
        .collect();
    let judged = lab.script(&requests, &[], &[]);
    let judged = judged["judged"].as_array().expect("results");
    assert_eq!(judged.len(), proofs.len());
    let mut seen = Vec::new();
    for ((kind, proof), judged) in proofs.into_iter().zip(judged) {
        let own = lab.own("GET", URL, &token, &proof).await;
        let theirs = judged["subject"].as_str().map(str::to_owned);
        let input = format!("{proof} {judged}");
        seen.push(Seen {
            kind,
            input,
            results: [own, theirs],
        });
    }
    compare(&seen, ["this framework", "oauth4webapi"], DISAGREEMENTS);
}

#[tokio::test]
async fn proofs_of_oauth4webapi_are_accepted() {
    const TARGETS: [&str; 9] = [
        "/read",
        "/",
        "/a/b/c",
        "/read?a=b&c=%20d",
        "/read%20me",
        "/a%2Fb",
        "/a%2fb;c=d,e",
        "/J%C3%BCrgen",
        "/it's~(all)!*$@:+=&",
    ];
    let lab = Lab::new();
    let keys = lab.script(&[], &["ES256", "PS256", "RS256", "Ed25519"], &[]);
    let mut wanted = Vec::new();
    for key in keys["keys"].as_array().expect("keys") {
        let token = lab.token(key["thumbprint"].as_str().expect("a thumbprint"));
        for target in TARGETS {
            let url = format!("https://api.example{target}");
            for method in ["GET", "POST"] {
                wanted.push(json!({ "url": url, "method": method, "key": key, "token": token }));
            }
        }
    }
    let made = lab.script(&[], &[], &wanted);
    let made = made["made"].as_array().expect("proofs");
    assert_eq!(made.len(), wanted.len());
    for (made, wanted) in made.iter().zip(&wanted) {
        let [url, method, proof] =
            ["url", "method", "proof"].map(|name| made[name].as_str().expect("a text"));
        let own = lab
            .own(
                method,
                url,
                wanted["token"].as_str().expect("a token"),
                proof,
            )
            .await;
        let algorithm = &wanted["key"]["algorithm"];
        // `Ed25519` (RFC 9864 §2.2) replaces `EdDSA`. The library of this framework knows the older name only.
        let expected = (algorithm != "Ed25519").then_some("ann");
        assert_eq!(own.as_deref(), expected, "{method} {url} {algorithm}");
    }
}
