//! Supabase: the tokens of anonymous users differ from those of other users in one claim.

use super::*;

const ISSUER: &str = "https://abcdefghijklmnop.supabase.example/auth/v1";

fn builder() -> JwtBuilder {
    Jwt::builder().issuer(ISSUER).audience("authenticated")
}

#[tokio::test]
async fn anonymous_users_are_rejected_by_condition() {
    let plain = app(builder());
    let guarded = app(builder().accept_if(|claims| {
        claims
            .get("is_anonymous")
            .is_none_or(|anonymous| anonymous == false)
    }));
    let claims = json!({
        "aud": "authenticated",
        "iss": ISSUER,
        "sub": "7f0a3c1e-5f0e-4b6c-9a55-1f1c2d3e4f50",
        "email": "",
        "phone": "",
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{ "method": "anonymous", "timestamp": now() }],
        "session_id": "0d3f6b1a-2c4e-4d7a-8f19-5b6c7d8e9f01",
        "is_anonymous": true,
    });
    for (is_anonymous, expected) in [
        (json!(true), 401),
        (json!("true"), 401),
        (json!(false), 200),
        // A token without the claim.
        (json!(null), 200),
    ] {
        let token = token(&claims, json!({ "is_anonymous": is_anonymous }));
        assert_eq!(status(&plain, "/caller", &token).await, 200);
        let seen = status(&guarded, "/caller", &token).await;
        assert_eq!(seen, expected, "{is_anonymous}");
    }
}
