//! Answers that are remembered, and shared by requests that wait for them.

use std::time::SystemTime;

use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::{Redis, SharedTokenCache, TokenCache};

use super::*;

#[tokio::test]
async fn answers_are_shared_and_remembered() {
    let server = Server::start().await;
    server.says("good", active());
    let app = server.app();
    let requests = (0..30).map(|_| {
        let app = app.clone();
        tokio::spawn(async move { status(&app, "good").await })
    });
    let requests: Vec<_> = requests.collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(server.questions(), 1);
    assert_eq!(status(&app, "bad").await, 401);
    assert_eq!(status(&app, "bad").await, 401);
    assert_eq!(server.questions(), 3, "what is rejected is not remembered");

    let app = of(server.builder().without_cache());
    for _ in 0..2 {
        assert_eq!(status(&app, "good").await, 200);
    }
    assert_eq!(server.questions(), 5);
}

/// One caller with many tokens would otherwise occupy gigabytes.
#[tokio::test]
async fn long_answers_are_not_cached() {
    let server = Server::start().await;
    let app = server.app();
    for (token, padding, questions) in [("short", 60_000, 1), ("long", 70_000, 2)] {
        let mut answer = active();
        answer["groups"] = json!("x".repeat(padding));
        server.says(token, answer);
        let before = server.questions();
        for _ in 0..2 {
            assert_eq!(status(&app, token).await, 200);
        }
        assert_eq!(server.questions() - before, questions, "{token}");
    }
}

/// A cached token that is used stays, however many other tokens are used once.
#[tokio::test]
async fn one_caller_displaces_no_used_token() {
    let server = Server::start().await;
    server.says("good", active());
    let cache = TokenCache::new(100, Duration::from_secs(60));
    let app = of(server.builder().cache(cache.clone()));
    for _ in 0..3 {
        assert_eq!(status(&app, "good").await, 200);
    }
    for block in 0..20 {
        let tokens = (0..50).map(|number| format!("mallory-{block}-{number}"));
        let requests = tokens.map(|token| {
            server.says(&token, active());
            let app = app.clone();
            tokio::spawn(async move { status(&app, &token).await })
        });
        for request in requests.collect::<Vec<_>>() {
            assert_eq!(request.await.unwrap(), 200);
        }
    }
    assert!(cache.len() <= 128, "{cache:?}");
    let asked = server.questions();
    assert_eq!(status(&app, "good").await, 200);
    assert_eq!(server.questions(), asked, "it is still cached");
}

#[tokio::test]
async fn remembered_answers_expire() {
    let server = Server::start().await;
    let mut short = active();
    short["exp"] = json!(now() + 20);
    server.says("short", short);
    server.says("good", active());
    let cache = TokenCache::new(100, Duration::from_secs(60));
    let time = ManualClock::new(SystemTime::now());
    let builder = server.builder().clock(time.clock());
    let app = of(builder.cache(cache.clone()));
    assert_eq!(status(&app, "short").await, 200);
    assert_eq!(status(&app, "good").await, 200);
    let revoked = json!({ "active": false });
    server.says("short", revoked.clone());
    server.says("good", revoked);
    time.advance(Duration::from_secs(21));
    assert_eq!(status(&app, "short").await, 401);
    assert_eq!(
        status(&app, "good").await,
        200,
        "remembered for up to a minute"
    );
    cache.forget("good");
    assert_eq!(status(&app, "good").await, 401);
}

/// A revoked token is accepted for that time.
#[tokio::test]
async fn default_cache_keeps_answers_a_minute() {
    let server = Server::start().await;
    server.says("good", active());
    let time = ManualClock::new(SystemTime::now());
    let app = of(server.builder().clock(time.clock()));
    assert_eq!(status(&app, "good").await, 200);
    server.says("good", json!({ "active": false }));
    time.advance(Duration::from_secs(59));
    assert_eq!(status(&app, "good").await, 200);
    time.advance(Duration::from_secs(1));
    assert_eq!(status(&app, "good").await, 401);
}

#[tokio::test]
async fn rejections_are_shared() {
    let server = Server::start().await;
    let app = server.app();
    for (of_endpoint, expected) in [(200, 401), (500, 503)] {
        *server.endpoint.status.lock().unwrap() = of_endpoint;
        let before = server.questions();
        let requests = (0..20).map(|_| {
            let app = app.clone();
            tokio::spawn(async move { status(&app, "nobody-knows-it").await })
        });
        let requests: Vec<_> = requests.collect();
        for request in requests {
            assert_eq!(request.await.unwrap(), expected);
        }
        assert_eq!(server.questions() - before, 1);
        // The result is shared, but not cached: the next request is sent to the server.
        assert_eq!(status(&app, "nobody-knows-it").await, expected);
        assert_eq!(server.questions() - before, 2);
    }
}

#[tokio::test]
async fn dropped_requests_block_no_other() {
    let server = Server::start().await;
    server.says("good", active());
    let app = server.app();
    let gone = tokio::spawn({
        let app = app.clone();
        async move { status(&app, "good").await }
    });
    server.was_asked(1).await;
    let waiting = tokio::spawn(async move { status(&app, "good").await });
    tokio::task::yield_now().await;
    gone.abort();
    assert_eq!(waiting.await.unwrap(), 200);
}

#[tokio::test]
async fn forgetting_applies_to_running_questions() {
    let server = Server::start().await;
    server.says("good", active());
    let forgetting: [fn(&TokenCache); 3] = [
        |cache| cache.forget("good"),
        |cache| cache.forget_where(|identity| identity.subject() == "ann"),
        TokenCache::clear,
    ];
    for (asked, forget) in (1..).zip(forgetting) {
        let cache = TokenCache::new(10, Duration::from_secs(60));
        let app = of(server.builder().cache(cache.clone()));
        let asking = tokio::spawn(async move { status(&app, "good").await });
        server.was_asked(asked).await;
        forget(&cache);
        assert_eq!(asking.await.unwrap(), 200);
        assert!(cache.is_empty(), "{cache:?}");
    }
}

/// A caller who logs out again and again would otherwise end the caching for all.
#[tokio::test]
async fn forgetting_token_applies_to_no_other() {
    let server = Server::start().await;
    server.says("good", active());
    let cache = TokenCache::new(10, Duration::from_secs(60));
    let app = of(server.builder().cache(cache.clone()));
    let ask = || {
        let app = app.clone();
        tokio::spawn(async move { status(&app, "good").await })
    };
    let first = ask();
    server.was_asked(1).await;
    cache.forget("other");
    let second = ask();
    for request in [first, second] {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(server.questions(), 1, "they share the question");
    assert_eq!(cache.len(), 1);
}

#[tokio::test]
async fn later_requests_ask_again() {
    let server = Server::start().await;
    server.says("good", active());
    let cache = TokenCache::new(10, Duration::from_secs(60));
    let app = of(server.builder().cache(cache.clone()));
    let before = tokio::spawn({
        let app = app.clone();
        async move { status(&app, "good").await }
    });
    server.was_asked(1).await;
    cache.forget("good");
    assert_eq!(status(&app, "good").await, 200);
    assert_eq!(server.questions(), 2, "it was asked about anew");
    assert_eq!(before.await.unwrap(), 200);
    assert_eq!(status(&app, "good").await, 200);
    assert_eq!(server.questions(), 2, "what was said then is remembered");
}

#[tokio::test]
async fn shared_caches_last_a_day() {
    let server = Server::start().await;
    server.says("good", active());
    for max_age in [Duration::from_secs(60), Duration::MAX] {
        let redis = Redis::builder("redis://127.0.0.1:1/").build().unwrap();
        let shared = SharedTokenCache::new(redis, [7; 32], max_age);
        assert_eq!(
            status(&of(server.builder().shared_cache(shared)), "good").await,
            200
        );
    }
}
