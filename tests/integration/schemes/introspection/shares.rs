//! The shares of clients in the questions that are asked at a time.

use auth_runtime::ClientAddress;

use super::*;

/// A request of this peer.
pub(super) fn request_from(peer: &str, token: &str) -> Request {
    let request = Request::get("/read").header("authorization", format!("Bearer {token}"));
    let mut request = request.body(Body::empty()).expect("a request");
    let peer: SocketAddr = peer.parse().expect("an address");
    request.extensions_mut().insert(peer);
    request
}

async fn status_of(app: &impl App, request: Request) -> u16 {
    let response = app.clone().oneshot(request).await.expect("infallible");
    response.status().as_u16()
}

pub(super) async fn status_from(app: &impl App, client: &str, token: &str) -> u16 {
    status_of(app, request_from(client, token)).await
}

const HOSTILE: &str = "203.0.113.9:1";
const PROXY: &str = "192.0.2.7:1";

#[tokio::test]
async fn one_client_shuts_out_no_other() {
    let server = Server::start().await;
    server.says("good", active());
    server.takes(Duration::from_secs(3));
    let app = server.app();
    let hostile: Vec<_> = (0..2000)
        .map(|number| {
            let app = app.clone();
            let token = format!("made-up-{number}");
            tokio::spawn(async move { status_from(&app, HOSTILE, &token).await })
        })
        .collect();
    server.was_asked(64).await;
    server.takes(Duration::ZERO);
    assert_eq!(status_from(&app, "192.0.2.1:1", "good").await, 200);
    let mut statuses = Vec::new();
    for request in hostile {
        statuses.push(request.await.unwrap());
    }
    let answered = statuses.iter().filter(|status| **status == 401).count();
    assert!(answered >= 64, "{answered}");
    assert!(statuses.iter().all(|status| [401, 503].contains(status)));
    let most = server.endpoint.most_at_a_time.load(Ordering::SeqCst);
    assert!(most <= 65, "a share has an end: {most}");
    assert_eq!(status_from(&app, HOSTILE, "made-up").await, 401);
}

/// All clients behind a proxy without readable addresses share one limit.
#[tokio::test]
async fn unreadable_proxy_fields_have_one_share() {
    let spoilt = [
        ("forwarded", "for=\", for=203.0.113.66".to_owned()),
        (
            "forwarded",
            format!("{}for=203.0.113.66", "for=1.2.3.4, ".repeat(800)),
        ),
        (
            "x-forwarded-for",
            format!("{}203.0.113.66", "1.2.3.4, ".repeat(1000)),
        ),
    ];
    for (field, value) in spoilt {
        let server = Server::start().await;
        server.says("good", active());
        server.takes(Duration::from_secs(2));
        let proxies = ["192.0.2.7/32".parse().unwrap()];
        let (address, clean) = match field {
            "forwarded" => (ClientAddress::forwarded(proxies), "for=198.51.100.1"),
            _ => (ClientAddress::x_forwarded_for(proxies), "198.51.100.1"),
        };
        let bearer = Bearer::introspection(server.builder().build().unwrap());
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        let space = space.client_address(address.unwrap());
        let app = app(space.build().unwrap());
        let by_proxy = |token: &str, value: &str| {
            let mut request = request_from(PROXY, token);
            let value = HeaderValue::from_str(value).expect("a field");
            request.headers_mut().insert(field, value);
            request
        };
        let hostile: Vec<_> = (0..600)
            .map(|number| {
                let request = by_proxy(&format!("made-up-{number}"), &value);
                let app = app.clone();
                tokio::spawn(async move { status_of(&app, request).await })
            })
            .collect();
        server.was_asked(64).await;
        server.takes(Duration::ZERO);
        assert_eq!(
            status_of(&app, by_proxy("good", clean)).await,
            200,
            "{value}"
        );
        let most = server.endpoint.most_at_a_time.load(Ordering::SeqCst);
        assert!(most <= 65, "a share has an end: {most}");
        for request in hostile {
            request.abort();
        }
    }
}

/// Further clients wait for a place.
#[tokio::test]
async fn all_clients_together_have_256_places() {
    let server = Server::start().await;
    server.takes(Duration::from_secs(3));
    let app = server.app();
    let requests: Vec<_> = (0..320)
        .map(|number| {
            let app = app.clone();
            let (client, token) = (
                format!("192.0.2.{}:1", number / 64),
                format!("made-up-{number}"),
            );
            tokio::spawn(async move { status_from(&app, &client, &token).await })
        })
        .collect();
    server.was_asked(256).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(server.questions(), 256);
    for request in requests {
        request.abort();
    }
}

/// A client waits for its own share only, also for a token of other clients.
#[tokio::test]
async fn waiting_clients_delay_no_other() {
    let server = Server::start().await;
    server.says("good", active());
    server.takes(Duration::from_secs(3));
    let app = server.app();
    let from_hostile = |token: String| {
        let app = app.clone();
        tokio::spawn(async move { status_from(&app, HOSTILE, &token).await })
    };
    let busy: Vec<_> = (0..64)
        .map(|number| from_hostile(format!("made-up-{number}")))
        .collect();
    server.was_asked(64).await;
    server.takes(Duration::ZERO);
    let waiting: Vec<_> = (0..3).map(|_| from_hostile("good".to_owned())).collect();
    // There is no place for them.
    tokio::task::yield_now().await;
    assert_eq!(status_from(&app, "198.51.100.1:1", "good").await, 200);
    // They receive the same response, so it came within the second that they wait for a place.
    for request in waiting {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(server.questions(), 65);
    for request in busy {
        request.abort();
    }
}

/// Requests with the same token share one place.
#[tokio::test]
async fn waiting_requests_hold_no_places() {
    let server = Server::start().await;
    server.says("good", active());
    server.takes(Duration::from_millis(1500));
    let app = server.app();
    let requests: Vec<_> = (0..300)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { status_from(&app, "192.0.2.1:1", "good").await })
        })
        .collect();
    server.was_asked(1).await;
    let other = status_from(&app, "192.0.2.1:1", "other");
    assert_eq!(other.await, 401);
    for request in requests {
        assert_eq!(
            request.await.unwrap(),
            200,
            "for longer than a place is waited for"
        );
    }
    assert_eq!(server.questions(), 2);
}

/// A service that asks this server.
fn service(server: &Server, has_cache: bool) -> ProtectedRouter {
    let builder = server.builder();
    of(match has_cache {
        true => builder,
        false => builder.without_cache(),
    })
}

/// The addresses of one IPv6 network of 64 bits are one client, and a service without a cache has the same bounds.
#[tokio::test]
async fn networks_have_shares_without_cache_too() {
    for has_cache in [true, false] {
        let server = Server::start().await;
        server.says("good", active());
        server.takes(Duration::from_secs(2));
        let app = service(&server, has_cache);
        let hostile: Vec<_> = (0..300)
            .map(|number| {
                let app = app.clone();
                let (peer, token) = (
                    format!("[2001:db8::{number:x}]:1"),
                    format!("made-up-{number}"),
                );
                tokio::spawn(async move { status_from(&app, &peer, &token).await })
            })
            .collect();
        server.was_asked(64).await;
        server.takes(Duration::ZERO);
        assert_eq!(status_from(&app, "[2001:db8:0:1::1]:1", "good").await, 200);
        let most = server.endpoint.most_at_a_time.load(Ordering::SeqCst);
        assert!(most <= 65, "a share has an end: {most}");
        for request in hostile {
            request.abort();
        }
    }
}

/// Tokens that no request to the server verifies are neither valid nor invalid.
#[tokio::test]
async fn full_queues_are_503_even_uncached() {
    for has_cache in [true, false] {
        let server = Server::start().await;
        server.takes(Duration::from_secs(2));
        let app = service(&server, has_cache);
        let requests: Vec<_> = (0..2000)
            .map(|number| {
                let token = format!("token-{number}");
                server.says(&token, active());
                let request = request_from(HOSTILE, &token);
                let app = app.clone();
                tokio::spawn(async move {
                    let response = app.oneshot(request).await.expect("infallible");
                    let retry_after = response.headers().get("retry-after").cloned();
                    (response.status().as_u16(), retry_after)
                })
            })
            .collect();
        server.was_asked(64).await;
        // All beyond the places of the client and the 1024 that wait.
        let at_once = requests.iter().filter(|request| request.is_finished());
        assert!(
            at_once.count() >= 2000 - 64 - 1024,
            "with a cache: {has_cache}"
        );
        server.takes(Duration::ZERO);
        let mut refused = 0;
        for request in requests {
            let (status, retry_after) = request.await.unwrap();
            if status != 200 {
                refused += 1;
                assert_eq!(status, 503, "with a cache: {has_cache}");
                assert_eq!(retry_after.expect("a time"), "5");
            }
        }
        assert!(refused > 0, "with a cache: {has_cache}");
    }
}
