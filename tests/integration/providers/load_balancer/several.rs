//! Several load balancers of one issuer.

use super::*;

#[tokio::test]
async fn each_load_balancer_of_issuer_counts() {
    let (keys, _) = key_server().await;
    let second = BALANCER.replace("app/web", "app/admin");
    let builder = builder().load_balancer(&second);
    let app = app_for(builder.load_balancer_keys(&keys));
    for (signer, expected) in [
        (BALANCER.to_owned(), 200),
        (second, 200),
        (BALANCER.replace("app/web", "app/other"), 401),
    ] {
        let token = padded(&header(json!({ "signer": signer })), &user());
        assert_eq!(caller_of(&app, &token).await.0, expected, "{signer}");
    }
}
