//! Kubernetes: tokens of service accounts, as pods get them by a projected volume.

use auth_runtime::schemes::ClaimPath;
use auth_runtime::{Identity, Rejection};
use auth_tests::serve;
use axum::Router;
use http::{HeaderMap, StatusCode};

use super::*;

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

fn claims() -> Value {
    json!({
        "aud": ["orders"],
        "iss": ISSUER,
        "jti": "1c3fb8f6-7c9a-4b0e-9d6a-2e5d1f0c4a8e",
        "kubernetes.io": {
            "namespace": "billing",
            "node": { "name": "node-1", "uid": "58456cb0-dd00-45ed-b797-5578fdceaced" },
            "pod": { "name": "invoices-7d9c5", "uid": "778a530c-b3f4-47c0-9cd5-ab018fb64f33" },
            "serviceaccount": {
                "name": "invoices",
                "uid": "a087d5a0-e1dd-43ec-93ac-f13d89cd13af",
            },
            "warnafter": now() + 200,
        },
        "nbf": now(),
        "sub": "system:serviceaccount:billing:invoices",
    })
}

fn header() -> Header {
    Header {
        typ: None,
        kid: Some("T2e4lW4v3Hn1".to_owned()),
        ..Header::new(Algorithm::RS256)
    }
}

#[tokio::test]
async fn a_service_account_is_the_caller() {
    let app = app(Jwt::builder().issuer(ISSUER).audience("orders"));
    let token = |changes| signed(&header(), &claims(), changes);
    let (status_of_account, shown) = ask(&app, "/caller", &token(json!({}))).await;
    let expected = format!("system:serviceaccount:billing:invoices -,-,- {ISSUER}");
    assert_eq!((status_of_account, shown), (200, expected));
    for (changes, expected) in [
        // A token for the API server itself.
        (json!({ "aud": [ISSUER] }), 401),
        (
            json!({ "iss": "kubernetes/serviceaccount", "aud": null, "exp": null }),
            401,
        ),
        (json!({ "exp": now() - 300 }), 401),
    ] {
        let shown = changes.to_string();
        assert_eq!(
            status(&app, "/caller", &token(changes)).await,
            expected,
            "{shown}"
        );
    }
}

#[tokio::test]
async fn namespace_may_be_required_or_role() {
    let namespace = || ClaimPath::from(["kubernetes.io", "namespace"]);
    let required = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("orders")
        .accept_if(move |claims| claims.at(&namespace()).is_some_and(|own| own == "billing")));
    let as_role = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("orders")
        .identity(move |claims| {
            let account = ClaimPath::from(["kubernetes.io", "serviceaccount", "name"]);
            let account = claims.at(&account).and_then(Value::as_str);
            let account = account.ok_or(Rejection::Invalid)?;
            let is_billing = claims.at(&namespace()).is_some_and(|own| own == "billing");
            Ok(Identity::new(account).with_roles(is_billing.then_some("admin")))
        }));
    let token = |changes| signed(&header(), &claims(), changes);
    let other = json!({ "kubernetes.io": { "namespace": "x", "serviceaccount": { "name": "a" } } });
    for (app, path, changes, expected) in [
        (&required, "/caller", json!({}), 200),
        (&required, "/caller", other.clone(), 401),
        (&required, "/caller", json!({ "kubernetes.io": null }), 401),
        (&as_role, "/admin", json!({}), 200),
        (&as_role, "/admin", other, 403),
        (&as_role, "/admin", json!({ "kubernetes.io": null }), 401),
    ] {
        let shown = changes.to_string();
        assert_eq!(
            status(app, path, &token(changes)).await,
            expected,
            "{path} {shown}"
        );
    }
}

/// The API server responds 406 to a client that accepts `application/json` alone.
#[tokio::test]
async fn key_sets_have_own_media_type() {
    const TYPE: &str = "application/jwk-set+json";
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let point = pair.public_key_raw();
    let (x, y) = point[1..].split_at(32);
    let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
    let key =
        json!({ "kty": "EC", "use": "sig", "kid": "T2e4lW4v3Hn1", "crv": "P-256", "x": x, "y": y });
    let document = json!({ "keys": [key] }).to_string();
    let keys = move |headers: HeaderMap| {
        let accepted: Vec<_> = headers.get_all("accept").iter().collect();
        let accepts = |line: &str| {
            let mut types = line.split([',', ';']).map(str::trim);
            types.any(|accepted| [TYPE, "*/*"].contains(&accepted))
        };
        let answer = match accepted.as_slice() {
            [line] if line.to_str().is_ok_and(accepts) => (StatusCode::OK, document.clone()),
            _ => (StatusCode::NOT_ACCEPTABLE, String::new()),
        };
        async move { (answer.0, [("content-type", TYPE)], answer.1) }
    };
    let server = Router::new().route("/openid/v1/jwks", axum::routing::get(keys));
    let url = format!("http://{}/openid/v1/jwks", serve(server).await);
    let jwt = Jwt::builder().issuer(ISSUER).audience("orders");
    let jwt = jwt.jwks_url(url).build().expect("a verifier");
    assert_eq!(jwt.fetch_keys().await, Ok(()));
    let header = Header {
        kid: Some("T2e4lW4v3Hn1".to_owned()),
        ..Header::new(Algorithm::ES256)
    };
    let signer = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).expect("a key");
    let token = signed_by(&signer, &header, &claims(), json!({}));
    assert_eq!(status(&app_of(jwt), "/caller", &token).await, 200);
}
