//! AD FS: access tokens have no `sub`, but `upn`.

use super::*;

const ISSUER: &str = "http://adfs.shop.example/adfs/services/trust";

#[tokio::test]
async fn the_subject_is_the_configured_claim() {
    let app = app(Jwt::builder()
        .issuer(ISSUER)
        .audience("microsoft:identityserver:orders")
        .subject_claim("upn"));
    let claims = json!({
        "aud": "microsoft:identityserver:orders",
        "iss": ISSUER,
        "upn": "ann@shop.example",
        "apptype": "Confidential",
        "appid": "2a3b",
        "scp": "orders:read",
        "ver": "1.0",
    });
    let (status_of_ann, shown) = ask(&app, "/caller", &token(&claims, json!({}))).await;
    assert_eq!(status_of_ann, 200);
    assert!(shown.starts_with("ann@shop.example "), "{shown}");
    for upn in [
        json!(null),
        json!(""),
        json!(7),
        json!(["ann@shop.example"]),
    ] {
        let token = token(&claims, json!({ "upn": upn, "sub": "someone" }));
        assert_eq!(status(&app, "/caller", &token).await, 401, "{upn}");
    }
}
