//! Logto: access tokens for an API resource, by RFC 9068, signed with ES384.

use super::*;

const ISSUER: &str = "https://shop.logto.example/oidc";

#[tokio::test]
async fn tokens_follow_the_profile_with_es384() {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key");
    let point = pair.public_key_raw();
    let (x, y) = point[1..].split_at(48);
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwks = json!({ "keys": [{
        "kty": "EC", "use": "sig", "kid": "AcJ8xd8", "alg": "ES384", "crv": "P-384",
        "x": encoded(x), "y": encoded(y),
    }] });
    let jwt = Jwt::builder()
        .issuer(ISSUER)
        .audience("https://api.shop.example")
        .jwks(&jwks.to_string())
        .rfc9068_only()
        .build();
    let app = app_of(jwt.expect("a verifier"));
    let claims = json!({
        "jti": "VovNyqJ5_tuYac89eTbpF",
        "sub": "kwhb1wlnrt4o",
        "scope": "orders:read",
        "client_id": "2m1g7nh5xysuedpkmrzfg",
        "iss": ISSUER,
        "aud": "https://api.shop.example",
    });
    let signer = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).expect("a key");
    let header = |kind: &str| Header {
        typ: Some(kind.to_owned()),
        kid: Some("AcJ8xd8".to_owned()),
        ..Header::new(Algorithm::ES384)
    };
    for (path, kind, changes, expected) in [
        ("/orders", "at+jwt", json!({}), 200),
        ("/orders", "at+jwt", json!({ "scope": "orders:write" }), 403),
        // A machine: its client is the subject.
        (
            "/orders",
            "at+jwt",
            json!({ "sub": "2m1g7nh5xysuedpkmrzfg" }),
            200,
        ),
        // A token for an organization, and an ID token.
        (
            "/orders",
            "at+jwt",
            json!({ "aud": "urn:logto:organization:d1example" }),
            401,
        ),
        ("/orders", "JWT", json!({ "client_id": null }), 401),
    ] {
        let shown = changes.to_string();
        let token = signed_by(&signer, &header(kind), &claims, changes);
        assert_eq!(status(&app, path, &token).await, expected, "{kind} {shown}");
    }
}
