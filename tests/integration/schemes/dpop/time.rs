//! The times of proofs and nonces, and the prefix that a gateway removes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;

const KEY: [u8; 32] = [9; 32];

/// A nonce of the server that is so many seconds old: its time and the start of an HMAC.
fn nonce(age: i64) -> String {
    let nanos = u64::try_from(now() - age).expect("after 1970") * 1_000_000_000;
    let time = nanos.to_be_bytes();
    let mac = Hmac::<Sha256>::new_from_slice(&KEY).expect("any length");
    let mac = mac.chain_update(b"DPoP nonce").chain_update(time);
    let mut stamp = time.to_vec();
    stamp.extend(&mac.finalize().into_bytes()[..16]);
    URL_SAFE_NO_PAD.encode(stamp)
}

/// A request with a proof of this age by the client's clock, and a nonce of this age.
fn request(client: &Client, age: i64, nonce_age: Option<i64>) -> Lines {
    let claims = json!({ "iat": now() - age, "nonce": nonce_age.map(nonce) });
    client.changed(json!({}), claims)
}

#[tokio::test]
async fn nonce_time_replaces_the_client_clock() {
    const HOUR: i64 = 3600;
    let client = Client::new();
    let with_nonces = app_of(dpop().nonces_with_key(KEY));
    let without = app_of(dpop());
    let tolerant = app_of(dpop().clock_skew(Duration::from_secs(40)));
    for (app, age, nonce_age, challenge) in [
        (&with_nonces, 0, Some(0), None),
        (&with_nonces, HOUR, Some(0), None),
        (&with_nonces, -HOUR, Some(0), None),
        (&with_nonces, HOUR, Some(50), None),
        (&with_nonces, 0, Some(200), None),
        // A newer nonce helps.
        (&with_nonces, HOUR, Some(70), Some(WANTS_NONCE)),
        (&with_nonces, HOUR, None, Some(WANTS_NONCE)),
        (&with_nonces, 0, Some(310), Some(WANTS_NONCE)),
        (&with_nonces, 0, Some(-HOUR), Some(WANTS_NONCE)),
        (&without, 0, Some(0), None),
        (&without, HOUR, Some(0), Some(BAD_PROOF)),
        (&without, -20, None, Some(BAD_PROOF)),
        (&tolerant, -20, None, None),
        (&tolerant, -50, None, Some(BAD_PROOF)),
        (&tolerant, 70, None, Some(BAD_PROOF)),
    ] {
        let response = send(app, "/read", &request(&client, age, nonce_age)).await;
        let expected: Vec<&str> = challenge.into_iter().collect();
        assert_eq!(challenges(&response), expected, "{age} {nonce_age:?}");
        assert_eq!(response.status() == 200, challenge.is_none());
    }
}

#[tokio::test]
async fn a_proof_with_a_wrong_clock_is_used_once_too() {
    let client = Client::new();
    let app = app_of(dpop().nonces_with_key(KEY));
    let request = request(&client, 3600, Some(0));
    assert_eq!(send(&app, "/read", &request).await.status(), 200);
    let again = send(&app, "/read", &request).await;
    assert_eq!(challenges(&again), [BAD_PROOF]);
}

#[tokio::test]
async fn new_nonce_comes_before_expiry() {
    let client = Client::new();
    let app = app_of(dpop().nonces_with_key(KEY));
    for (age, brings_one) in [(0, false), (140, false), (160, true), (290, true)] {
        let response = send(&app, "/read", &request(&client, 0, Some(age))).await;
        assert_eq!(response.status(), 200, "{age}");
        let new = response.headers().get("dpop-nonce");
        assert_eq!(new.is_some(), brings_one, "{age}");
        if let Some(new) = new {
            let new = new.to_str().expect("ASCII");
            let next = client.changed(json!({}), json!({ "nonce": new }));
            let response = send(&app, "/read", &next).await;
            assert_eq!(response.status(), 200);
            assert!(!response.headers().contains_key("dpop-nonce"));
        }
    }
    // Without nonces, none is sent.
    let response = send(&app_of(dpop()), "/read", &request(&client, 0, Some(160))).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("dpop-nonce"));
}

#[tokio::test]
async fn origin_may_have_a_removed_prefix() {
    let client = Client::new();
    let dpop = Dpop::jwt(verifier()).origin("https://api.example/orders");
    let app = app_of(dpop);
    for (htu, expected) in [
        ("https://api.example/orders/read", 200),
        ("https://api.example/%6Frders/read?a=b", 200),
        ("https://api.example/read", 401),
        ("https://api.example/Orders/read", 401),
        ("https://api.example/ordersread", 401),
        ("https://api.example/orders", 401),
    ] {
        let request = client.changed(json!({}), json!({ "htu": htu }));
        assert_eq!(
            send(&app, "/read", &request).await.status(),
            expected,
            "{htu}"
        );
    }
    for (origin, is_valid) in [
        ("https://api.example/orders/v1", true),
        ("https://api.example/orders/", false),
        ("https://api.example/", false),
        ("https://api.example/a/../b", false),
        ("https://api.example/orders?a", false),
        ("https://api.example/orders#a", false),
    ] {
        let built = Dpop::jwt(verifier()).origin(origin).build();
        assert_eq!(built.is_ok(), is_valid, "{origin}");
    }
    let skew = Dpop::jwt(verifier())
        .origin(ORIGIN)
        .clock_skew(Duration::from_secs(61));
    assert!(skew.build().is_err());
}
