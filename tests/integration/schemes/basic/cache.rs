//! Logins that are cached.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use auth_runtime::ClientAddress;
use auth_runtime::clock::ManualClock;

use super::*;

/// The proxy reports the address, for which a login is cached.
#[tokio::test]
async fn proxied_logins_are_cached_per_client() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let hashes = PasswordHashes::builder().user_verified_by(
        "ann",
        move |password| {
            counted.fetch_add(1, Ordering::Relaxed);
            password.as_str() == "secret"
        },
        Identity::new("ann"),
    );
    let proxies = ["192.0.2.7/32".parse().expect("a network")];
    let space = ProtectionSpace::builder()
        .realm("api")
        .client_address(ClientAddress::x_forwarded_for(proxies).expect("a proxy"))
        .scheme(Basic::password_hashes(hashes.build().expect("hashes")));
    let app = app(space.build().expect("a space"));
    for (client, login, status, verified) in [
        ("203.0.113.9", "ann:secret", 200, 1),
        ("203.0.113.9", "ann:secret", 200, 1),
        ("198.51.100.1", "ann:secret", 200, 2),
        ("198.51.100.1", "ann:secret", 200, 2),
        ("203.0.113.9", "ann:secret", 200, 2),
        // A wrong password is not cached.
        ("203.0.113.9", "ann:guess", 401, 3),
        ("203.0.113.9", "ann:guess", 401, 4),
        ("203.0.113.9", "ann:secret", 200, 4),
    ] {
        let mut request = Request::get("/known")
            .header("x-forwarded-for", client)
            .body(Body::empty())
            .expect("a request");
        let peer: SocketAddr = "192.0.2.7:4711".parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        for (name, value) in basic(login) {
            let value = HeaderValue::from_bytes(&value).expect("a field value");
            request.headers_mut().insert(name, value);
        }
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{client} {login}");
        assert_eq!(calls.load(Ordering::Relaxed), verified, "{client} {login}");
    }
}

/// A function may decide otherwise the next time, such as after a change of the password.
#[tokio::test]
async fn function_logins_end_after_five_minutes() {
    let time = ManualClock::new(SystemTime::now());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let hashes = PasswordHashes::builder().user_verified_by(
        "ann",
        move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            true
        },
        Identity::new("ann"),
    );
    let hashes = hashes.clock(time.clock()).build().expect("hashes");
    for (seconds, verified) in [(0, 1), (0, 1), (299, 1), (1, 2), (150, 2), (149, 2), (1, 3)] {
        time.advance(Duration::from_secs(seconds));
        let login = hashes.authenticate("ann".to_owned(), "x".to_owned(), Client::Unknown);
        assert!(matches!(login.await, Caller::Known(_)));
        assert_eq!(calls.load(Ordering::Relaxed), verified, "{seconds}");
    }
}
