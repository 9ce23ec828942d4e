//! Keys that change.

use auth_runtime::schemes::TokenCache;

use super::*;

#[tokio::test]
async fn rotation_refuses_no_request() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    let mut before = vec![issuer.token(json!({}))];
    assert_eq!(status(&app, &before[0]).await, 200);
    for _ in 0..2 {
        issuer.rotate();
        let tokens: Vec<String> = (0..20).map(|_| issuer.token(json!({}))).collect();
        let requests = tokens.iter().chain(&before).map(|token| {
            let (app, token) = (app.clone(), token.clone());
            tokio::spawn(async move { status(&app, &token).await })
        });
        let requests: Vec<_> = requests.collect();
        issuer.pause().await;
        for request in requests {
            assert_eq!(request.await.unwrap(), 200);
        }
        before = tokens;
    }
    // One fetch for each key, the second one after the pause.
    assert_eq!(issuer.fetches().1, 3);
}

/// The request itself does not wait for the fetch.
#[tokio::test]
async fn default_refresh_is_after_ten_minutes() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    for (seconds, fetches) in [(0, 1), (599, 1), (1, 2)] {
        issuer.time.advance(Duration::from_secs(seconds));
        assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if issuer.fetches().1 > 1 {
                break;
            }
        }
        assert_eq!(issuer.fetches().1, fetches, "{seconds}");
    }
}

#[tokio::test]
async fn nameless_keys_change_too() {
    let issuer = Issuer::start().await;
    issuer.published.is_nameless.store(true, Ordering::SeqCst);
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    issuer.rotate();
    issuer.withdraw_all_but_the_last();
    // Without key names, the new key is detected only because no key at hand fits.
    let token = issuer.token(json!({}));
    let (status, ()) = tokio::join!(self::status(&app, &token), issuer.pause());
    assert_eq!(status, 200);
    assert_eq!(issuer.fetches().1, 2);
    // A signed token with invalid claims does not cause a fetch.
    let foreign = issuer.token(json!({ "aud": "https://other.example" }));
    assert_eq!(self::status(&app, &foreign).await, 401);
    assert_eq!(issuer.fetches().1, 2);
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    let forger = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let requests = (0..30).map(|number| {
        let app = app.clone();
        let token = issuer.signed(&format!("unknown-{number}"), &forger, json!({}));
        tokio::spawn(async move { status(&app, &token).await })
    });
    let requests: Vec<_> = requests.collect();
    // They wait once.
    issuer.pause().await;
    for request in requests {
        assert_eq!(request.await.unwrap(), 401);
    }
    assert_eq!(issuer.fetches().1, 2);

    // Tokens of other issuers are rejected without waiting.
    let foreign = issuer.signed(
        "unknown",
        &forger,
        json!({ "iss": "https://other.example" }),
    );
    assert_eq!(status(&app, &foreign).await, 401);
    assert_eq!(issuer.fetches().1, 2);
}

/// No other key can have signed it.
#[tokio::test]
async fn known_key_forgeries_cause_no_fetch() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    issuer.time.advance(PAUSE);
    let (id, _) = issuer.published.keys.lock().unwrap().pop_back().unwrap();
    let forger = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let forged = issuer.signed(&id, &forger, json!({}));
    assert_eq!(status(&app, &forged).await, 401);
    assert_eq!(issuer.fetches().1, 1);
}

/// A key opens nothing after twice the time between two fetches.
#[tokio::test]
async fn withdrawn_keys_last_twenty_minutes() {
    for (seconds, expected) in [(1199, 200), (1200, 401)] {
        let issuer = Issuer::start().await;
        let app = issuer.app();
        let old = issuer.token(json!({ "exp": issuer.now() + 3600 }));
        assert_eq!(status(&app, &old).await, 200);
        issuer.rotate();
        issuer.withdraw_all_but_the_last();
        issuer.time.advance(Duration::from_secs(seconds));
        let (seen, ()) = tokio::join!(status(&app, &old), issuer.pause());
        assert_eq!(seen, expected, "{seconds}");
        // The new key is known after the fetch.
        let new = issuer.token(json!({}));
        let (seen, ()) = tokio::join!(status(&app, &new), issuer.pause());
        assert_eq!(seen, 200, "{seconds}");
        let (seen, ()) = tokio::join!(status(&app, &old), issuer.pause());
        assert_eq!(seen, 401, "{seconds}");
    }
}

#[tokio::test]
async fn withdrawn_keys_open_nothing() {
    let issuer = Issuer::start().await;
    let jwt = issuer.verifier().discover().cache(TokenCache::default());
    let jwt = jwt.refresh_every(Duration::from_secs(1)).build().unwrap();
    let app = app(space(Bearer::jwt(jwt)));
    let old = issuer.token(json!({}));
    assert_eq!(status(&app, &old).await, 200);
    issuer.rotate();
    issuer.withdraw_all_but_the_last();
    issuer.time.advance(Duration::from_secs(1));
    // This starts the refresh without waiting for it. The token is cached as well.
    assert_eq!(status(&app, &old).await, 200);
    while issuer.fetches().1 < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    let (status, ()) = tokio::join!(status(&app, &old), issuer.pause());
    assert_eq!(status, 401, "the key was withdrawn");
}

#[tokio::test]
async fn withdrawn_keys_fail_after_idle_time() {
    for cache in [None, Some(TokenCache::default())] {
        for (seconds, expected) in [(119, 200), (120, 401)] {
            let issuer = Issuer::start().await;
            let jwt = issuer.verifier().discover();
            let jwt = jwt.refresh_every(Duration::from_secs(60));
            let jwt = match cache.clone() {
                Some(cache) => jwt.cache(cache),
                None => jwt,
            };
            let app = app(space(Bearer::jwt(jwt.build().unwrap())));
            let old = issuer.token(json!({}));
            assert_eq!(status(&app, &old).await, 200);
            issuer.rotate();
            issuer.withdraw_all_but_the_last();
            issuer.time.advance(Duration::from_secs(seconds));
            assert_eq!(status(&app, &old).await, expected, "{seconds} {cache:?}");
        }
    }
}

/// A removed key may have been stolen. Other changes leave the tokens in the cache.
#[tokio::test]
async fn cached_tokens_outlive_other_changes() {
    type Change = fn(&Issuer);
    let changes: [(&str, Change, usize); 4] = [
        ("none", |_| {}, 1),
        ("a new key", Issuer::rotate, 1),
        (
            "another order",
            |issuer| issuer.published.keys.lock().unwrap().rotate_left(1),
            1,
        ),
        ("a removed key", Issuer::withdraw_all_but_the_last, 0),
    ];
    let issuer = Issuer::start().await;
    let cache = TokenCache::default();
    let jwt = issuer.verifier().discover().cache(cache.clone());
    let jwt = jwt.build().unwrap();
    let app = app(space(Bearer::jwt(jwt.clone())));
    jwt.fetch_keys().await.unwrap();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    for (name, change, expected) in changes {
        change(&issuer);
        jwt.fetch_keys().await.unwrap();
        assert_eq!(cache.len(), expected, "{name}");
    }
}

#[tokio::test]
async fn made_up_keys_displace_no_key() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    let forger = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let an_hour_ago = json!({ "iat": issuer.now() - 3600 });
    let made_up: Vec<String> = (0..3000)
        .map(|number| issuer.signed(&format!("made-up-{number}"), &forger, an_hour_ago.clone()))
        .collect();
    let strangers: Vec<_> = made_up
        .into_iter()
        .map(|token| {
            let app = app.clone();
            tokio::spawn(async move { status(&app, &token).await })
        })
        .collect();
    issuer.rotate();
    let owner = {
        let (app, token) = (app.clone(), issuer.token(json!({})));
        tokio::spawn(async move { status(&app, &token).await })
    };
    for stranger in strangers {
        assert_eq!(stranger.await.unwrap(), 401);
    }
    assert!(
        !owner.is_finished(),
        "strangers do not wait, the owner does"
    );
    issuer.pause().await;
    assert_eq!(owner.await.unwrap(), 200);
    assert!(issuer.fetches().1 <= 3, "{:?}", issuer.fetches());
}

#[tokio::test]
async fn waiting_delays_no_other_request() {
    let issuer = Issuer::start().await;
    let app = issuer.app();
    assert_eq!(status(&app, &issuer.token(json!({}))).await, 200);
    let forger = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let begun = Arc::new(AtomicUsize::new(0));
    // Issued after the last fetch, according to their claims.
    let new: Vec<_> = (0..3000)
        .map(|number| {
            let token = issuer.signed(&format!("new-{number}"), &forger, json!({}));
            let (app, begun) = (app.clone(), Arc::clone(&begun));
            tokio::spawn(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                status(&app, &token).await
            })
        })
        .collect();
    // Each yield begins some of them.
    while begun.load(Ordering::Relaxed) < new.len() {
        tokio::task::yield_now().await;
    }
    assert!(new.iter().all(|request| !request.is_finished()));
    let old = issuer.signed("old", &forger, json!({ "iat": issuer.now() - 3600 }));
    let found = tokio::time::timeout(PAUSE, status(&app, &old)).await;
    assert_eq!(found, Ok(401));

    issuer.rotate();
    let token = issuer.token(json!({}));
    let (status, ()) = tokio::join!(status(&app, &token), issuer.pause());
    assert_eq!(status, 200);
    for request in new {
        assert_eq!(request.await.unwrap(), 401);
    }
    assert_eq!(issuer.fetches().1, 2, "they wait once");
}

#[tokio::test]
async fn slow_clocks_find_new_keys() {
    let issuer = Issuer::start().await;
    let jwt = issuer.verifier().discover().leeway(Duration::from_secs(30));
    let jwt = jwt.build().unwrap();
    jwt.fetch_keys().await.unwrap();
    let app = app(space(Bearer::jwt(jwt)));
    issuer.rotate();
    let beyond = issuer.token(json!({ "iat": issuer.now() - 40 }));
    assert_eq!(status(&app, &beyond).await, 401, "at once");
    let behind = issuer.token(json!({ "iat": issuer.now() - 20 }));
    let (status, ()) = tokio::join!(status(&app, &behind), issuer.pause());
    assert_eq!(status, 200);
    assert_eq!(issuer.fetches().1, 2);
}
