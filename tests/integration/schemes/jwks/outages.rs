//! Issuers that do not respond.

use super::*;

#[tokio::test]
async fn missing_keys_are_503() {
    let mut issuer = Issuer::start().await;
    let app = issuer.app();
    let token = issuer.token(json!({}));
    issuer.stop().await;
    for _ in 0..2 {
        let response = send(&app, "/read", &bearer(&token)).await;
        assert_eq!(response.status(), 503);
        assert!(challenges(&response).is_empty());
        let retry_after = response.headers()["retry-after"].to_str().unwrap();
        let retry_after: u64 = retry_after.parse().unwrap();
        assert!((1..=5).contains(&retry_after), "{retry_after}");
    }
    // A malformed token is rejected as usual, since no key would help.
    assert_eq!(status(&app, "not-a-token").await, 401);
    assert_eq!(send(&app, "/read", &vec![]).await.status(), 401);

    issuer.start_again().await;
    issuer.time.advance(PAUSE);
    assert_eq!(status(&app, &token).await, 200);
}

#[tokio::test]
async fn keys_outlive_an_outage() {
    let mut issuer = Issuer::start().await;
    let jwt = issuer.verifier().discover();
    let jwt = jwt.refresh_every(Duration::from_secs(1)).build().unwrap();
    let app = app(space(Bearer::jwt(jwt)));
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    issuer.stop().await;
    issuer.time.advance(Duration::from_secs(1));
    for _ in 0..5 {
        assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
        tokio::task::yield_now().await;
    }
    // A token with an unknown key cannot be verified now.
    issuer.rotate();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 503);
    issuer.start_again().await;
    issuer.time.advance(PAUSE);
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
}

#[tokio::test]
async fn key_sets_without_key_replace_none() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    let before = issuer.token(json!({}));
    assert_eq!(status(&app, &before).await, 200);
    issuer.rotate();
    let after = issuer.token(json!({}));
    let keys = std::mem::take(&mut *issuer.published.keys.lock().unwrap());
    issuer.time.advance(PAUSE);
    let response = send(&app, "/read", &bearer(&after)).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(status(&app, &before).await, 200);
    assert_eq!(issuer.fetches().1, 2);
    *issuer.published.keys.lock().unwrap() = keys;
    issuer.time.advance(PAUSE);
    assert_eq!(status(&app, &after).await, 200);
}

/// After an idle time, a token that names no key may be signed by a key that cannot be fetched now.
#[tokio::test]
async fn nameless_keys_after_idleness_are_503() {
    let mut issuer = Issuer::start().await;
    issuer.published.is_nameless.store(true, Ordering::SeqCst);
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    issuer.rotate();
    issuer.stop().await;
    issuer.time.advance(Duration::from_secs(1200));
    let new = issuer.token(json!({}));
    assert_eq!(status(&app, &new).await, 503);
    let old = {
        let keys = issuer.published.keys.lock().unwrap();
        let (id, key) = keys.front().expect("a key");
        issuer.signed(id, key, json!({}))
    };
    assert_eq!(status(&app, &old).await, 200);
    issuer.start_again().await;
    issuer.time.advance(PAUSE);
    assert_eq!(status(&app, &new).await, 200);
}

#[tokio::test]
async fn keys_last_a_day_without_fetch() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    issuer.stop().await;
    for (seconds, expected) in [(24 * 60 * 60 - 1, 200), (1, 503)] {
        issuer.time.advance(Duration::from_secs(seconds));
        let token = issuer.token(json!({}));
        assert_eq!(status(&app, &token).await, expected, "{seconds}");
    }
}

#[tokio::test]
async fn outages_concern_one_issuer() {
    let (one, other) = (Issuer::start().await, Issuer::start().await);
    let build = |issuer: &Issuer| issuer.verifier().discover().build().unwrap();
    let jwt = Jwt::any_of([build(&one), build(&other)]).unwrap();
    one.stop().await;
    assert!(jwt.fetch_keys().await.is_err());
    assert_eq!(other.fetches(), (1, 1));
    let app = app(space(Bearer::jwt(jwt)));
    assert_eq!(status(&app, &one.token(json!({}))).await, 503);
    assert_eq!(status(&app, &other.token(json!({}))).await, 200);
}

/// No fetch is made before that time.
#[tokio::test]
async fn outages_name_time_of_next_fetch() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    let token = issuer.token(json!({}));
    issuer.stop().await;
    for (seconds, expected) in [(0, "5"), (2, "3"), (2, "1"), (1, "5")] {
        issuer.time.advance(Duration::from_secs(seconds));
        let response = send(&app, "/read", &bearer(&token)).await;
        assert_eq!(response.status(), 503, "{seconds}");
        assert_eq!(response.headers()["retry-after"], expected, "{seconds}");
    }
}
