//! Verified tokens are cached, and never longer than they are valid.

use auth_tests::App;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use auth_runtime::ProtectedRouter;
use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::{JwtBuilder, TokenCache};

use crate::schemes::tokens::{claims, keys, now};
use crate::schemes::*;

fn verifier() -> JwtBuilder {
    Jwt::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .key(JwtKey::hs256(keys().secret).unwrap())
}

fn token(changes: Value) -> String {
    let header = Header::new(Algorithm::HS256);
    encode(&header, &claims(changes), &keys().signer(Algorithm::HS256)).unwrap()
}

fn remembering(cache: &TokenCache, builder: JwtBuilder) -> ProtectedRouter {
    let jwt = builder.cache(cache.clone()).build().unwrap();
    app(space(Bearer::jwt(jwt)))
}

async fn status(app: &impl App, token: &str) -> u16 {
    send(app, "/read", &bearer(token)).await.status().as_u16()
}

#[tokio::test]
async fn token_is_cached_until_forgotten() {
    let cache = TokenCache::new(100, Duration::from_secs(60));
    let app = remembering(&cache, verifier());
    let ann = token(json!({}));
    let bob = token(json!({ "sub": "bob" }));
    for token in [&ann, &bob, &ann] {
        assert_eq!(status(&app, token).await, 200);
    }
    assert_eq!(cache.len(), 2);
    cache.forget(&ann);
    assert_eq!((cache.len(), cache.is_empty()), (1, false));
    cache.forget_where(|identity| identity.subject() == "bob");
    assert!(cache.is_empty());
    assert_eq!(status(&app, &ann).await, 200);
    cache.clear();
    assert!(cache.is_empty());
}

/// Otherwise the user who was locked out meanwhile would stay in the cache.
#[tokio::test]
async fn tokens_forgotten_during_verification_stay_uncached() {
    let ann = token(json!({}));
    type Forget = fn(&TokenCache, &str);
    let ways: [(&str, Forget, usize); 4] = [
        ("none", |_, _| {}, 1),
        ("one", |cache, token| cache.forget(token), 0),
        (
            "some",
            |cache, _| cache.forget_where(|identity| identity.subject() == "ann"),
            0,
        ),
        ("all", |cache, _| cache.clear(), 0),
    ];
    for (name, forget, expected) in ways {
        let cache = TokenCache::new(100, Duration::from_secs(60));
        let (during, text) = (cache.clone(), ann.clone());
        let verifier = verifier().accept_if(move |_| {
            forget(&during, &text);
            true
        });
        let app = remembering(&cache, verifier);
        assert_eq!(status(&app, &ann).await, 200, "{name}");
        assert_eq!(cache.len(), expected, "{name}");
    }
}

#[tokio::test]
async fn rejections_are_not_cached() {
    let cache = TokenCache::new(100, Duration::from_secs(60));
    let app = remembering(&cache, verifier());
    for changes in [
        json!({ "aud": "another" }),
        json!({ "exp": now() - 600 }),
        json!({ "sub": null }),
    ] {
        assert_eq!(status(&app, &token(changes)).await, 401);
    }
    assert!(cache.is_empty());
}

#[tokio::test]
async fn cached_token_expires() {
    let cache = TokenCache::new(100, Duration::from_secs(60));
    let time = ManualClock::new(SystemTime::now());
    let verifier = verifier().leeway(Duration::ZERO).clock(time.clock());
    let app = remembering(&cache, verifier);
    let short = token(json!({ "exp": now() + 20 }));
    assert_eq!(status(&app, &short).await, 200);
    assert_eq!(cache.len(), 1);
    time.advance(Duration::from_secs(21));
    let response = send(&app, "/known", &bearer(&short)).await;
    assert_eq!(challenges(&response), [EXPIRED]);
    assert!(cache.is_empty());
}

#[tokio::test]
async fn cached_token_reaches_its_age() {
    let cache = TokenCache::new(100, Duration::from_secs(60));
    let verified = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&verified);
    let time = ManualClock::new(SystemTime::now());
    let verifier = verifier().clock(time.clock()).accept_if(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        true
    });
    let app = remembering(&cache, verifier);
    let token = token(json!({}));
    for (seconds, expected) in [(0, 1), (59, 1), (1, 2)] {
        time.advance(Duration::from_secs(seconds));
        // An old token stays in the cache, but is verified anew.
        assert_eq!(cache.is_empty(), seconds == 0);
        assert_eq!(status(&app, &token).await, 200);
        assert_eq!(verified.load(Ordering::SeqCst), expected, "{seconds}");
    }
}

/// A wall time that is set back must not extend the age. The other time stands still while a machine is suspended.
#[tokio::test]
async fn cached_tokens_age_by_both_times() {
    let cache = TokenCache::new(100, Duration::from_secs(60));
    let time = ManualClock::new(SystemTime::now());
    let verified = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&verified);
    let verifier = verifier().clock(time.clock()).accept_if(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        true
    });
    let app = remembering(&cache, verifier);
    let token = token(json!({}));
    for (seconds, set_back, set_forward, expected) in [
        (0, 0, 0, 1),
        (40, 40, 0, 1),
        (19, 0, 0, 1),
        (1, 0, 0, 2),
        (0, 600, 0, 2),
        (59, 0, 0, 2),
        (1, 0, 0, 3),
        (0, 0, 60, 4),
    ] {
        time.advance(Duration::from_secs(seconds));
        let wall = time.clock().now() + Duration::from_secs(set_forward);
        time.set_wall(wall - Duration::from_secs(set_back));
        assert_eq!(status(&app, &token).await, 200);
        let verified = verified.load(Ordering::SeqCst);
        assert_eq!(verified, expected, "{seconds} {set_back} {set_forward}");
    }
}

#[tokio::test]
async fn cache_size_is_bounded() {
    let cache = TokenCache::new(50, Duration::from_secs(60));
    let app = remembering(&cache, verifier());
    for number in 0..500 {
        let token = token(json!({ "sub": format!("user-{number}") }));
        assert_eq!(status(&app, &token).await, 200);
    }
    assert!((25..=64).contains(&cache.len()), "{cache:?}");
}

/// Otherwise a token for one service would be accepted by the other.
#[tokio::test]
async fn shared_cache_separates_verifiers() {
    let cache = TokenCache::new(100, Duration::from_secs(60));
    let one = remembering(&cache, verifier());
    let other = remembering(&cache, verifier().audience("https://other.example"));
    let elsewhere = Jwt::builder()
        .issuer(ISSUER)
        .audience("https://other.example")
        .key(JwtKey::hs256(keys().secret).unwrap());
    let elsewhere = remembering(&cache, elsewhere);
    let token = token(json!({}));
    assert_eq!(status(&one, &token).await, 200);
    assert_eq!(status(&other, &token).await, 200);
    assert_eq!(status(&elsewhere, &token).await, 401);
    cache.forget(&token);
    assert!(cache.is_empty());
}

#[tokio::test]
async fn revoked_token_is_rejected() {
    let revoked = Arc::new(AtomicBool::new(false));
    for remembers in [true, false] {
        revoked.store(false, Ordering::SeqCst);
        let flag = Arc::clone(&revoked);
        let builder = verifier().revoked_if(move |claims| {
            claims.get("jti").and_then(Value::as_str) == Some("7") && flag.load(Ordering::SeqCst)
        });
        let builder = if remembers {
            builder.cache(TokenCache::default())
        } else {
            builder
        };
        let app = app(space(Bearer::jwt(builder.build().unwrap())));
        let seventh = token(json!({ "jti": "7" }));
        let eighth = token(json!({ "jti": "8" }));
        assert_eq!(status(&app, &seventh).await, 200);
        revoked.store(true, Ordering::SeqCst);
        assert_eq!(status(&app, &seventh).await, 401);
        assert_eq!(status(&app, &eighth).await, 200);
    }
}

#[test]
fn cached_tokens_are_not_shown() {
    let cache = TokenCache::default();
    assert_eq!(
        format!("{cache:?}"),
        "TokenCache { len: 0, capacity: 10000, max_age: 300s }"
    );
}

#[tokio::test]
async fn endless_cache_ends_after_a_day() {
    let cache = TokenCache::new(10, std::time::Duration::MAX);
    assert!(
        format!("{cache:?}").contains("max_age: 86400s"),
        "{cache:?}"
    );
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    let key = JwtKey::rs256_pem(keys().rsa.public_key_pem()).unwrap();
    let app = app(space(Bearer::jwt(
        jwt.key(key).cache(cache).build().unwrap(),
    )));
    for _ in 0..2 {
        let response = send(&app, "/read", &bearer(tokens::rs256(json!({})))).await;
        assert_eq!(response.status(), 200);
    }
}
