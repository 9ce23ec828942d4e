//! Google: the ID tokens of service accounts, and the assertions of Identity-Aware Proxy. Access tokens of
//! Google are opaque.

use auth_runtime::Identity;

use super::*;

const ISSUER: &str = "https://accounts.google.com";
const SERVICE: &str = "https://orders-abcdef-ew.a.run.example";

/// The token with which one service calls another.
fn claims() -> Value {
    json!({
        "aud": SERVICE,
        "azp": "104029292853099978293",
        "email": "billing@shop-123456.iam.gserviceaccount.com",
        "email_verified": true,
        "iss": ISSUER,
        "sub": "104029292853099978293",
    })
}

#[tokio::test]
async fn service_accounts_get_roles_by_rule() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience(SERVICE)
        .accept_if(|claims| {
            let email = claims.get("email").and_then(Value::as_str);
            let is_ours = |email: &str| email.ends_with("@shop-123456.iam.gserviceaccount.com");
            claims.get("email_verified") == Some(&json!(true)) && email.is_some_and(is_ours)
        })
        .identity(|claims| {
            let email = claims.get("email").and_then(Value::as_str);
            let email = email.ok_or(auth_runtime::Rejection::Invalid)?;
            let is_billing = email == "billing@shop-123456.iam.gserviceaccount.com";
            Ok(Identity::new(email).with_roles(is_billing.then_some("admin")))
        }));
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some("6a98b6a8a7d1f6a3".to_owned());
    for (path, changes, expected) in [
        ("/admin", json!({}), 200),
        (
            "/admin",
            json!({ "email": "mail@shop-123456.iam.gserviceaccount.com" }),
            403,
        ),
        ("/caller", json!({ "email_verified": false }), 401),
        ("/caller", json!({ "email": null }), 401),
        // The token of a request without `includeEmail`.
        (
            "/caller",
            json!({ "email": null, "email_verified": null }),
            401,
        ),
        // Every project can request a token for this audience.
        (
            "/caller",
            json!({ "email": "billing@another-654321.iam.gserviceaccount.com" }),
            401,
        ),
        ("/caller", json!({ "aud": "https://other.example" }), 401),
        // Tokens of a login on a web page are for the page, and say so.
        (
            "/caller",
            json!({ "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q" }),
            401,
        ),
    ] {
        let shown = changes.to_string();
        let token = signed(&header, &claims(), changes);
        assert_eq!(status(&app, path, &token).await, expected, "{path} {shown}");
    }
}

#[tokio::test]
async fn identity_aware_proxy_has_own_field() {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let key = JwtKey::es256_pem(pair.public_key_pem()).expect("a public key");
    let jwt = Jwt::builder()
        .issuer("https://cloud.google.com/iap")
        .audience("/projects/123456789012/global/backendServices/987654321")
        .key(key)
        .build();
    let jwt = jwt.expect("a verifier");
    let app = app_with(
        jwt.in_gateway_field("x-goog-iap-jwt-assertion")
            .build()
            .expect("a scheme"),
    );
    let claims = json!({
        "iss": "https://cloud.google.com/iap",
        "sub": "accounts.google.com:118133858486581853996",
        "email": "ann@shop.example",
        "aud": "/projects/123456789012/global/backendServices/987654321",
        "hd": "shop.example",
        "google": { "access_levels": ["accessPolicies/12345/accessLevels/office"] },
    });
    let signer = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).expect("a key");
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("2nMJtw".to_owned());
    for (changes, expected) in [
        (json!({}), 200),
        (json!({ "aud": "/projects/123456789012/apps/other" }), 401),
        (json!({ "iss": ISSUER }), 401),
    ] {
        let token = signed_by(&signer, &header, &claims, changes);
        let request = Request::get("/caller").header("X-Goog-IAP-JWT-Assertion", &token);
        let request = request.body(Body::empty()).expect("a request");
        let Ok(response) = app.clone().oneshot(request).await;
        assert_eq!(response.status(), expected);
        assert_eq!(status(&app, "/caller", &token).await, 401);
    }
}
