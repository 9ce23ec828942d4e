//! The URL of a Redis. Other behaviour is tested with a real server
//! (`cargo test -p auth-tests --test redis`).

use std::time::Duration;

use auth_runtime::schemes::{Redis, RedisError};

#[test]
fn errors_hide_the_password() {
    let at = |url: &str| Redis::builder(url).build();
    for url in [
        "",
        "localhost",
        "http://:hunter2@redis.internal/",
        "redis://:hunter2@",
        "redis://:hunter2@redis.internal:no-port/",
        "redis://:hunter2@redis.internal/no-number",
        // The URL disables the verification of the certificate.
        "rediss://:hunter2@redis.internal/#insecure",
    ] {
        let error = at(url).unwrap_err();
        assert_eq!(error, RedisError::Url, "{url}");
        let shown = format!("{error} {error:?} {:?}", Redis::builder(url));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    for url in [
        "redis://ann:hunter2@redis.internal/",
        "rediss://ann:hunter2@redis.internal/",
    ] {
        assert_eq!(
            format!("{:?}", at(url).unwrap()),
            "Redis { address: redis.internal:6379, prefix: \"auth:\", timeout: 500ms, .. }"
        );
    }
}

#[test]
fn redis_has_a_deadline() {
    let after = |seconds: u64| {
        let builder = Redis::builder("redis://redis.internal/");
        builder.timeout(Duration::from_secs(seconds)).build()
    };
    for seconds in [0, 11, u64::MAX] {
        let timeout = Duration::from_secs(seconds);
        assert_eq!(after(seconds).unwrap_err(), RedisError::Timeout(timeout));
    }
    assert!(after(10).is_ok());
}
