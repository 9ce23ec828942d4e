//! Keys that AWS has withdrawn.

use super::switched::Switched;
use super::*;

/// A thief of the key could otherwise use it for another day, while the key server seems to fail.
#[tokio::test]
async fn a_withdrawn_key_is_never_extended() {
    for gone in [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN] {
        let server = Switched::to(gone).await;
        let clock = auth_runtime::clock::ManualClock::new(SystemTime::now());
        let app = app_for(
            builder()
                .load_balancer_keys(server.keys)
                .clock(clock.clock()),
        );
        let token = padded(&header(json!({ "exp": now() + 200_000 })), &user());
        assert_eq!(caller_of(&app, &token).await.0, 200);
        server.is_switched.store(true, Ordering::Relaxed);
        // It is used for a day without a fetch.
        clock.advance(std::time::Duration::from_secs(24 * 60 * 60 - 1));
        assert_eq!(caller_of(&app, &token).await.0, 200);
        clock.advance(std::time::Duration::from_secs(1));
        for minute in 0..2 {
            for request in 0..12 {
                let status = caller_of(&app, &token).await.0;
                let expected = if request < 8 { 401 } else { 503 };
                assert_eq!(status, expected, "{gone}: {minute} {request}");
            }
            clock.advance(std::time::Duration::from_secs(60));
        }
    }
}
