//! Key servers that do not have a key at the moment.

use std::time::Duration;

use auth_runtime::clock::ManualClock;

use super::switched::Switched;
use super::*;

/// While the key cannot be fetched, each minute has one attempt.
#[tokio::test]
async fn key_server_outages_cause_few_requests() {
    let server = Switched::to(StatusCode::SERVICE_UNAVAILABLE).await;
    let clock = ManualClock::new(SystemTime::now());
    let app = app_for(
        builder()
            .load_balancer_keys(server.keys.clone())
            .clock(clock.clock()),
    );
    let token = padded(&header(json!({ "exp": now() + 200_000 })), &user());
    assert_eq!(caller_of(&app, &token).await.0, 200);
    server.is_switched.store(true, Ordering::Relaxed);
    for (seconds, fetches) in [(86_399, 1), (1, 2), (0, 2), (59, 2), (1, 3)] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(caller_of(&app, &token).await.0, 200, "{seconds}");
        assert_eq!(
            server.requests.load(Ordering::Relaxed),
            fetches,
            "{seconds}"
        );
    }
}

/// The requests share a failure, and the time until the next attempt does not depend on their number.
#[tokio::test]
async fn short_key_server_outage_lasts_seconds() {
    let server = Switched::to(StatusCode::SERVICE_UNAVAILABLE).await;
    server.is_switched.store(true, Ordering::Relaxed);
    let clock = ManualClock::new(SystemTime::now());
    let app = app_for(
        builder()
            .load_balancer_keys(server.keys.clone())
            .clock(clock.clock()),
    );
    let token = padded(&header(json!({})), &user());
    for (seconds, retry_after, fetches) in [(0, "5", 1), (3, "2", 1), (2, "5", 2)] {
        clock.advance(Duration::from_secs(seconds));
        let requests = (0..20).map(|_| {
            let request = Request::get("/caller").header("x-amzn-oidc-data", &token);
            let request = request.body(Body::empty()).expect("a request");
            tokio::spawn(app.clone().oneshot(request))
        });
        for request in requests.collect::<Vec<_>>() {
            let Ok(response) = request.await.expect("no panic");
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()["retry-after"], retry_after);
        }
        assert_eq!(server.requests.load(Ordering::Relaxed), fetches);
    }
    server.is_switched.store(false, Ordering::Relaxed);
    clock.advance(Duration::from_secs(5));
    assert_eq!(caller_of(&app, &token).await.0, 200);
    assert_eq!(server.requests.load(Ordering::Relaxed), 3);
}

/// AWS responds 403 for an unknown key, and 429 for too many requests.
#[tokio::test]
async fn other_key_server_statuses_are_outages() {
    let key = async |Path(kid): Path<String>| {
        let status = kid.trim_start_matches("status-").parse();
        StatusCode::from_u16(status.expect("a number")).expect("a status")
    };
    let server = Router::new().route("/{kid}", axum::routing::get(key));
    let keys = format!("http://{}/", serve(server).await);
    let clock = ManualClock::new(SystemTime::now());
    let app = app_for(builder().load_balancer_keys(keys).clock(clock.clock()));
    for (answer, expected) in [
        (403, 401),
        (404, 401),
        (302, 503),
        (400, 503),
        (401, 503),
        (429, 503),
        (500, 503),
    ] {
        let token = padded(
            &header(json!({ "kid": format!("status-{answer}") })),
            &user(),
        );
        assert_eq!(caller_of(&app, &token).await.0, expected, "{answer}");
        // The time between two attempts.
        clock.advance(Duration::from_secs(5));
    }
}

/// A fetch is made again when the minute ends.
#[tokio::test]
async fn outages_end_with_their_minute() {
    let (keys, _) = key_server().await;
    let clock = ManualClock::new(SystemTime::now());
    let app = app_for(builder().load_balancer_keys(&keys).clock(clock.clock()));
    for index in 0..8 {
        let invented = header(json!({ "kid": format!("invented-{index}") }));
        caller_of(&app, &padded(&invented, &user())).await;
    }
    for (seconds, expected) in [(0, "60"), (20, "40"), (39, "1")] {
        clock.advance(Duration::from_secs(seconds));
        let token = padded(&header(json!({})), &user());
        let request = Request::get("/caller").header("x-amzn-oidc-data", token);
        let request = request.body(Body::empty()).expect("a request");
        let Ok(response) = app.clone().oneshot(request).await;
        assert_eq!(response.headers()["retry-after"], expected, "{seconds}");
    }
}
