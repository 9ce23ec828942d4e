//! Okta: the access tokens of a custom authorization server. The header has no `typ`, and `scp` is an array.

use super::*;

const ISSUER: &str = "https://shop.okta.example/oauth2/aus1example23456789";

fn claims() -> Value {
    json!({
        "ver": 1,
        "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
        "iss": ISSUER,
        "aud": "api://orders",
        "sub": "ann@shop.example",
        "cid": "0oa1example23456789",
        "uid": "00u1example23456789",
        "scp": ["openid", "orders:read"],
        "auth_time": now() - 60,
        "groups": ["admin"],
    })
}

fn header() -> Header {
    Header {
        typ: None,
        kid: Some("45js03w0djwedsw".to_owned()),
        ..Header::new(Algorithm::RS256)
    }
}

#[tokio::test]
async fn scope_arrays_and_group_roles_count() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("api://orders")
        .roles_claim("groups"));
    let token = |changes| signed(&header(), &claims(), changes);
    let (status_of_ann, shown) = ask(&app, "/caller", &token(json!({}))).await;
    let expected = format!("ann@shop.example admin,-,- {ISSUER}");
    assert_eq!((status_of_ann, shown), (200, expected));
    for (path, changes, expected) in [
        ("/orders", json!({}), 200),
        ("/admin", json!({}), 200),
        ("/orders", json!({ "scp": ["openid"] }), 403),
        ("/admin", json!({ "groups": null }), 403),
        // A client that calls for itself: its identifier is the subject.
        (
            "/orders",
            json!({ "sub": "0oa1example23456789", "uid": null }),
            200,
        ),
        ("/orders", json!({ "aud": "api://default" }), 401),
        // The organization's own authorization server, whose tokens are for Okta only.
        (
            "/orders",
            json!({ "iss": "https://shop.okta.example", "aud": "https://shop.okta.example" }),
            401,
        ),
    ] {
        let shown = changes.to_string();
        let token = token(changes);
        assert_eq!(status(&app, path, &token).await, expected, "{path} {shown}");
    }
}

#[tokio::test]
async fn subject_may_be_user_id() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("api://orders")
        .subject_claim("uid"));
    let token = |changes| signed(&header(), &claims(), changes);
    let (_, shown) = ask(&app, "/caller", &token(json!({}))).await;
    assert!(shown.starts_with("00u1example23456789 "), "{shown}");
    // The token of a program has no user.
    let program = token(json!({ "sub": "0oa1example23456789", "uid": null }));
    assert_eq!(status(&app, "/caller", &program).await, 401);
}
