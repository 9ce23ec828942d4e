//! The forms of tokens.

use super::*;

#[tokio::test]
async fn a_header_is_an_object() {
    let (keys, _) = key_server().await;
    let app = app_for(builder().load_balancer_keys(&keys));
    let header = header(json!({}));
    // In the order that `serde` reads the members in.
    let members = ["alg", "kid", "signer", "iss", "client", "exp", "typ"].map(|name| &header[name]);
    for (header, expected) in [(json!(members), 401), (header.clone(), 200)] {
        let token = padded(&header, &user());
        assert_eq!(caller_of(&app, &token).await.0, expected, "{header}");
    }
}
