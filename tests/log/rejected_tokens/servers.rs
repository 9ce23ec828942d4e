//! Tokens that other servers have the keys of, or verify.

use std::sync::{Arc, Mutex};

use auth_runtime::schemes::Introspection;
use auth_tests::serve;
use jsonwebtoken::Header;

use super::*;

/// A key that is not at hand is fetched before the token is rejected.
#[tokio::test]
async fn tokens_are_rejected_after_the_fetch() {
    listen();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let (x, y) = key.public_key_raw()[1..].split_at(32);
    let jwk = |kid: &str| {
        json!({
            "kty": "EC", "crv": "P-256", "kid": kid,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    };
    let theirs = json!("https://login.example/72f988bf-86f1-41af-91ab-2d7cd011db47/");
    let mut of_theirs = jwk("theirs");
    of_theirs["issuer"] = theirs;
    let document = json!({ "keys": [jwk("ours"), of_theirs] });
    let keys = axum::routing::get(async move || axum::Json(document));
    let address = serve(axum::Router::new().route("/keys", keys)).await;
    let pem = key.serialize_pem();
    let signer = EncodingKey::from_ec_pem(pem.as_bytes()).expect("a key");
    let token = |kid: &str, changes: Value| {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(kid.to_owned());
        jsonwebtoken::encode(&header, &claims(changes), &signer).expect("a token")
    };
    let signed = |kid: &str| {
        let token = token(kid, json!({}));
        let (input, _) = token.rsplit_once('.').expect("a signature");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode([1; 64]))
    };
    for (token, status, reason) in [
        (token("ours", json!({})), 200, None),
        (
            token(MARKER, json!({})),
            401,
            Some("no key of the issuer has its `kid` and `alg`"),
        ),
        (
            token(MARKER, json!({ "iss": MARKER })),
            401,
            Some("its `iss` is not the issuer"),
        ),
        (signed("ours"), 401, Some("no key of the issuer signed it")),
        (
            token("theirs", json!({})),
            401,
            Some("its key is that of another issuer"),
        ),
    ] {
        let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
        let jwt = built(jwt.jwks_url(format!("http://{address}/keys")));
        for is_fetched in [false, true] {
            let (found, reasons) = reasons(&app(Bearer::jwt(jwt.clone())), &token).await;
            let expected = reason.map(|reason| (json!(ISSUER), json!(reason)));
            assert_eq!(found, status, "{reason:?} {is_fetched}");
            assert_eq!(reasons, Vec::from_iter(expected), "{is_fetched}");
            jwt.fetch_keys().await.expect("keys");
        }
    }
}

#[tokio::test]
async fn introspected_tokens_have_a_reason() {
    listen();
    let answer = Arc::new(Mutex::new(json!({})));
    let current = Arc::clone(&answer);
    let respond = axum::routing::post(move || {
        let answer = current.lock().expect("no panic").clone();
        std::future::ready(axum::Json(answer))
    });
    let address = serve(axum::Router::new().route("/introspect", respond)).await;
    let introspection = Introspection::builder()
        .endpoint(format!("http://{address}/introspect"))
        .client_secret("api", "secret")
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .build()
        .expect("an endpoint");
    let app = app(Bearer::introspection(introspection));
    let by_issuer = json!(ISSUER);
    for (token, changes, issuer, reason) in [
        (MARKER, json!({}), &by_issuer, None),
        ("=", json!({}), &Value::Null, Some("it is not a token")),
        (
            "1",
            json!({ "active": false }),
            &by_issuer,
            Some("the server reports it as inactive"),
        ),
        (
            "2",
            json!({ "exp": now() - 600 }),
            &by_issuer,
            Some("it has expired"),
        ),
        (
            "3",
            json!({ "iss": MARKER }),
            &by_issuer,
            Some("its `iss` is not the issuer"),
        ),
        (
            "4",
            json!({ "aud": MARKER }),
            &by_issuer,
            Some("its `aud` is not an accepted audience"),
        ),
        (
            "5",
            json!({ "sub": null }),
            &by_issuer,
            Some("its subject is missing, or is not a text"),
        ),
        (
            "6",
            json!({ "token_type": MARKER }),
            &by_issuer,
            Some("it is not an access token of this scheme"),
        ),
        (
            "7",
            json!({ "token_use": "id" }),
            &by_issuer,
            Some("it is not an access token of this scheme"),
        ),
    ] {
        let mut active = json!({ "active": true });
        let members = active.as_object_mut().expect("an object");
        members.extend(changes.as_object().expect("an object").clone());
        *answer.lock().expect("no panic") = claims(active);
        let (status, reasons) = reasons(&app, token).await;
        assert_eq!(
            status,
            if reason.is_some() { 401 } else { 200 },
            "{reason:?}"
        );
        let expected = reason.map(|reason| (issuer.clone(), json!(reason)));
        assert_eq!(reasons, Vec::from_iter(expected));
    }
}

/// A load balancer signs tokens in a form of its own.
#[tokio::test]
async fn tokens_of_load_balancers_have_reason() {
    const ARN: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";
    listen();
    let address = serve(axum::Router::new()).await;
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    let jwt = jwt
        .load_balancer(ARN)
        .load_balancer_keys(format!("http://{address}/"));
    let app = app(Bearer::jwt(built(jwt)));
    let of_balancer = |signer: &str| {
        let header = json!({
            "alg": "ES256", "kid": MARKER, "signer": signer, "iss": ISSUER, "client": AUDIENCE,
            "exp": now() + 600,
        });
        signed(&header, &json!({ "sub": MARKER }).to_string())
    };
    for (token, issuer, reason) in [
        (
            token(json!({})),
            json!(ISSUER),
            "it does not have the form of a token of a load balancer",
        ),
        (
            of_balancer(MARKER),
            Value::Null,
            "its header is not that of a named load balancer",
        ),
        (
            of_balancer(ARN),
            json!(ISSUER),
            "no key of the load balancer signed it",
        ),
    ] {
        let (status, reasons) = reasons(&app, &token).await;
        assert_eq!(status, 401, "{reason}");
        assert_eq!(reasons, [(issuer, json!(reason))]);
    }
}
