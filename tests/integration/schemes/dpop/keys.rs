//! The keys of proofs, their algorithms, and the requests that they are for.

use auth_runtime::routing::any;
use auth_runtime::schemes::JwtBuilder;
use auth_tests::proof::token_hash;
use axum::middleware::map_request;

use super::replays::Recorder;
use super::*;

/// RFC 9449 §4.3 (7): a proof would disclose the member.
#[tokio::test]
async fn secret_members_are_never_accepted() {
    let client = Client::new();
    let app = app_of(dpop());
    for (name, status) in [
        ("kid", 200),
        ("d", 401),
        ("p", 401),
        ("q", 401),
        ("dp", 401),
        ("dq", 401),
        ("qi", 401),
        ("oth", 401),
        ("k", 401),
    ] {
        let mut key = client.key.jwk();
        key[name] = json!("AQ");
        let lines = client.changed(json!({ "jwk": key }), json!({}));
        assert_eq!(send(&app, "/read", &lines).await.status(), status, "{name}");
    }
}

#[tokio::test]
async fn encrypted_proofs_are_rejected() {
    let client = Client::new();
    let lines = client.changed(json!({ "enc": "A256GCM" }), json!({}));
    let rows = vec![row("encrypted", lines, 401, &[BAD_PROOF])];
    check(&app_of(dpop()), "/read", rows).await;
}

#[tokio::test]
async fn only_configured_algorithms_are_accepted() {
    let client = Client::new();
    for (names, status) in [
        (&["ES256"][..], 200),
        (&["PS256", "ES256"], 200),
        (&["PS256", "EdDSA"], 401),
        (&["ES384"], 401),
    ] {
        let dpop = dpop().algorithms(names.iter().copied());
        let response = send(&app_of(dpop), "/read", &client.good()).await;
        assert_eq!(response.status(), status, "{names:?}");
        if status == 401 {
            let algorithms = format!("algs=\"{}\"", names.join(" "));
            let challenges = challenges(&response);
            assert!(challenges[0].contains(&algorithms), "{challenges:?}");
        }
    }
}

/// RFC 7518 §3.4 and §6.2.1.2. The coordinates of another curve would have another length.
#[tokio::test]
async fn keys_have_curve_that_they_name() {
    let mut client = Client::new();
    let app = app_of(dpop());
    let whole = client.key.jwk();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(whole[name].as_str().expect("a text"));
    let point = [part("x").expect("base64"), part("y").expect("base64")].concat();
    let (x, y) = point.split_at(31);
    let another_split = [x, y].map(|number| URL_SAFE_NO_PAD.encode(number));
    for (kty, crv, [x, y], status) in [
        ("EC", "P-256", [&whole["x"], &whole["y"]], 200),
        ("EC", "P-384", [&whole["x"], &whole["y"]], 401),
        ("EC", "P-521", [&whole["x"], &whole["y"]], 401),
        ("EC", "Ed25519", [&whole["x"], &whole["y"]], 401),
        ("OKP", "P-256", [&whole["x"], &whole["y"]], 401),
        (
            "EC",
            "P-256",
            [&json!(another_split[0]), &json!(another_split[1])],
            401,
        ),
    ] {
        let key = json!({ "kty": kty, "crv": crv, "x": x, "y": y });
        let text = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":{x},"y":{y}}}"#);
        let confirmation = json!({ "jkt": token_hash(&text) });
        client.token = token(json!({ "scope": "read", "cnf": confirmation }));
        let lines = client.changed(json!({ "jwk": key }), json!({}));
        assert_eq!(send(&app, "/read", &lines).await.status(), status, "{key}");
    }
}

/// The same letters in another case are another thumbprint.
#[tokio::test]
async fn thumbprints_are_compared_exactly() {
    let mut client = Client::new();
    let thumbprint = client.key.thumbprint();
    let swapped: String = thumbprint
        .chars()
        .map(|letter| match letter {
            letter if letter.is_ascii_lowercase() => letter.to_ascii_uppercase(),
            letter => letter.to_ascii_lowercase(),
        })
        .collect();
    let app = app_of(dpop());
    for (jkt, status) in [
        (json!(thumbprint), 200),
        (json!(swapped), 401),
        (json!(format!("{thumbprint}=")), 401),
        (json!(""), 401),
        (json!(null), 401),
        (json!([thumbprint]), 401),
    ] {
        client.token = token(json!({ "scope": "read", "cnf": { "jkt": jkt } }));
        let response = send(&app, "/read", &client.good()).await;
        assert_eq!(response.status(), status, "{jkt}");
    }
}

/// A proof is for one method, and for one request of it.
#[tokio::test]
async fn proofs_of_every_method_work_once() {
    let client = Client::new();
    let app = GuardedRouter::new()
        .route("/read", any(read))
        .protect(space(dpop().build().expect("it is in order")))
        .expect("in order");
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    for sent in methods {
        for proved in methods {
            let lines = client.changed(json!({}), json!({ "htm": proved }));
            let first = if sent == proved { 200 } else { 401 };
            for expected in [first, 401] {
                let mut request = Request::builder().method(sent).uri("/read");
                for (name, value) in &lines {
                    request = request.header(*name, value.as_slice());
                }
                let request = request.body(Body::empty()).expect("a request");
                let response = app.clone().oneshot(request).await.expect("infallible");
                assert_eq!(response.status(), expected, "{sent} {proved}");
            }
        }
    }
}

/// Two issuers may give one subject to two users.
#[tokio::test]
async fn subjects_of_issuers_have_own_shares() {
    const ISSUERS: [&str; 2] = ["https://a.example", "https://b.example"];
    let key = JwtKey::hs256(crate::schemes::tokens::keys().secret).expect("a key");
    let builder = |issuer: &str| -> JwtBuilder {
        Jwt::builder()
            .issuer(issuer)
            .audience(AUDIENCE)
            .key(key.clone())
    };
    let verifiers = ISSUERS.map(|issuer| builder(issuer).build().expect("a verifier"));
    let recorder = Recorder::default();
    let dpop = Dpop::jwt(Jwt::any_of(verifiers).expect("two issuers")).origin(ORIGIN);
    let app = app_of(dpop.replay_store(recorder.clone()));
    let mut client = Client::new();
    for issuer in ISSUERS {
        let claims = crate::schemes::tokens::claims(json!({
            "iss": issuer, "cnf": { "jkt": client.key.thumbprint() },
        }));
        let signer = crate::schemes::tokens::keys().signer(Algorithm::HS256);
        client.token = encode(&Header::new(Algorithm::HS256), &claims, &signer).expect("a token");
        assert_eq!(send(&app, "/read", &client.good()).await.status(), 200);
    }
    let used = recorder.used();
    assert_ne!(used[0].subject(), used[1].subject());
}

/// A layer behind the decision that changes the proof changes the decision.
#[tokio::test]
async fn a_replaced_proof_is_verified_anew() {
    #[requires(scope = "read", hide_as = 404)]
    async fn hidden() {}

    let client = Client::new();
    for (name, expected) in [("x-other", 200), ("dpop", 404)] {
        let replace = map_request(move |mut request: Request| {
            let value = HeaderValue::from_static("another");
            request.headers_mut().insert(name, value);
            std::future::ready(request)
        });
        let app = GuardedRouter::new()
            .route("/read", get(hidden).layer(replace))
            .protect(space(dpop().build().expect("it is in order")))
            .expect("in order");
        let response = send(&app, "/read", &client.good()).await;
        assert_eq!(response.status(), expected, "{name}");
    }
}
