//! Streams that end when the credentials of their caller expire.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use auth_runtime::clock::ManualClock;
use auth_runtime::{ProtectedRouter, ProtectionSpace};
use auth_tests::{serve, space_builder};
use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade, close_code};
use axum::response::sse::{Event, Sse};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

#[requires(scope = "read")]
async fn events(guard: Guard) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let first = stream::iter([Ok(Event::default().data("first"))]);
    let events = first.chain(stream::pending());
    Sse::new(events.take_until(guard.expires()))
}

#[requires(scope = "read")]
async fn socket(guard: Guard, upgrade: WebSocketUpgrade) -> Response {
    let expires = guard.expires();
    upgrade.on_upgrade(move |mut socket| async move {
        let mut expires = std::pin::pin!(expires);
        loop {
            tokio::select! {
                () = &mut expires => break,
                Some(Ok(message)) = socket.recv() => {
                    let _ = socket.send(message).await;
                }
                else => return,
            }
        }
        let reason = CloseFrame {
            code: close_code::POLICY,
            reason: "the credentials are expired".into(),
        };
        let _ = socket.send(Message::Close(Some(reason))).await;
    })
}

#[public(reason = "a status page", identity = optional)]
async fn status(guard: Guard) -> &'static str {
    match guard.expires().now_or_never() {
        Some(()) => "expired",
        None => "pending",
    }
}

fn app(time: &ManualClock) -> ProtectedRouter {
    let space: ProtectionSpace = space_builder()
        .clock(time.clock())
        .build()
        .expect("a space");
    GuardedRouter::new()
        .route("/events", get(events))
        .route("/socket", any(socket))
        .route("/status", get(status))
        .protect(space)
        .expect("protected")
}

#[tokio::test]
async fn server_sent_events_end_with_the_credentials() {
    let time = ManualClock::new(SystemTime::UNIX_EPOCH + HOUR);
    let app = app(&time);
    let caller = ann().with_expiry(SystemTime::UNIX_EPOCH + 3 * HOUR);
    let (status, response) = send(&app, by(caller, Method::GET, "/events")).await;
    assert_eq!(status, 200);
    let mut body = response.into_body().into_data_stream();
    let first = body.next().await.expect("an event").expect("bytes");
    assert_eq!(first, "data: first\n\n");
    assert!(body.next().now_or_never().is_none(), "two hours are left");
    time.advance(HOUR);
    assert!(body.next().now_or_never().is_none(), "one hour is left");
    time.advance(HOUR);
    assert!(body.next().await.is_none(), "the stream ends");
}

#[tokio::test]
async fn credentials_without_expiry_never_end() {
    let time = ManualClock::new(SystemTime::UNIX_EPOCH);
    let app = app(&time);
    let of = async |identity: Identity| {
        let (_, response) = send(&app, by(identity, Method::GET, "/status")).await;
        text(response).await
    };
    assert_eq!(of(ann()).await, "pending");
    assert_eq!(
        of(ann().with_expiry(SystemTime::UNIX_EPOCH + HOUR)).await,
        "pending"
    );
    assert_eq!(
        of(ann().with_expiry(SystemTime::UNIX_EPOCH)).await,
        "expired"
    );
    let (_, response) = send(&app, nobody(Method::GET, "/status")).await;
    assert_eq!(text(response).await, "pending");
}

#[tokio::test]
async fn web_sockets_end_with_the_token() {
    let time = ManualClock::new(SystemTime::now());
    let address = serve(app(&time)).await;
    let target = format!("ws://{address}/socket");
    let mut request = target.into_client_request().expect("a request");
    let token = auth_tests::token(serde_json::json!({ "scope": "read" }));
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a value");
    request.headers_mut().insert("authorization", value);
    let (mut socket, _) = connect_async(request).await.expect("a handshake");
    // A token of the tests is valid for less than a day.
    time.advance(24 * HOUR);
    let message = socket.next().await.expect("a message").expect("a frame");
    let tungstenite::Message::Close(Some(frame)) = message else {
        panic!("{message:?}");
    };
    assert_eq!(u16::from(frame.code), 1008);
}

/// The time of the system may be set, or pass while the machine sleeps; a timer does not see that.
#[tokio::test(start_paused = true)]
async fn a_stream_ends_within_a_minute_of_a_changed_wall_time() {
    let start = SystemTime::UNIX_EPOCH + HOUR;
    let time = ManualClock::new(start);
    let app = app(&time);
    let caller = ann().with_expiry(start + 2 * HOUR);
    let (_, response) = send(&app, by(caller, Method::GET, "/events")).await;
    let mut body = response.into_body().into_data_stream();
    body.next().await.expect("an event").expect("bytes");
    assert!(body.next().now_or_never().is_none(), "two hours are left");
    time.set_wall(start + 2 * HOUR);
    let begun = tokio::time::Instant::now();
    assert!(body.next().await.is_none(), "the stream ends");
    let waited = begun.elapsed();
    assert!(waited <= Duration::from_secs(61), "{waited:?}");
}
