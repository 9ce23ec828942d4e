//! Streams that end when the credentials of their caller expire.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use auth_runtime::clock::ManualClock;
use auth_runtime::{ProtectedRouter, ProtectionSpace};
use auth_tests::{serve, space_builder};
use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade, close_code};
use axum::response::sse::{Event, Sse};
use futures_util::{FutureExt, SinkExt, Stream, StreamExt, stream};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

#[requires(scope = "read")]
async fn events(guard: Guard) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let first = stream::iter([Ok(Event::default().data("first"))]);
    let events = first.chain(stream::pending());
    Sse::new(events.take_until(guard.expires()))
}

/// Reports when it is dropped, with the task that holds it.
struct Ending(UnboundedSender<()>);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[requires(scope = "read")]
async fn socket(
    guard: Guard,
    State(ended): State<UnboundedSender<()>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let expires = guard.expires();
    upgrade.on_upgrade(move |mut socket| async move {
        let _ending = Ending(ended);
        let mut expires = std::pin::pin!(expires);
        loop {
            tokio::select! {
                () = &mut expires => break,
                message = socket.recv() => match message {
                    Some(Ok(message)) => {
                        let _ = socket.send(message).await;
                    }
                    // The client is gone.
                    _ => return,
                },
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
    reporting(time, unbounded_channel().0)
}

/// The application, whose sockets send to `ended` when their tasks end.
fn reporting(time: &ManualClock, ended: UnboundedSender<()>) -> ProtectedRouter {
    let space: ProtectionSpace = space_builder()
        .clock(time.clock())
        .build()
        .expect("a space");
    GuardedRouter::new()
        .route("/events", get(events))
        .route("/socket", any(socket))
        .route("/status", get(status))
        .with_state(ended)
        .protect(space)
        .expect("protected")
}

#[tokio::test]
async fn server_sent_events_end_with_credentials() {
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

/// Opens a socket with a token that is valid for less than a day.
async fn open_socket(app: ProtectedRouter) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let address = serve(app).await;
    let target = format!("ws://{address}/socket");
    let mut request = target.into_client_request().expect("a request");
    let token = auth_tests::token(serde_json::json!({ "scope": "read" }));
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a value");
    request.headers_mut().insert("authorization", value);
    let (socket, _) = connect_async(request).await.expect("a handshake");
    socket
}

#[tokio::test]
async fn web_sockets_end_with_the_token() {
    let time = ManualClock::new(SystemTime::now());
    let mut socket = open_socket(app(&time)).await;
    time.advance(24 * HOUR);
    let message = socket.next().await.expect("a message").expect("a frame");
    let tungstenite::Message::Close(Some(frame)) = message else {
        panic!("{message:?}");
    };
    assert_eq!(u16::from(frame.code), 1008);
}

/// Its task would otherwise be kept until the token expires.
#[tokio::test]
async fn web_sockets_end_with_their_client() {
    let time = ManualClock::new(SystemTime::now());
    let (ended, mut end) = unbounded_channel();
    let mut closed = open_socket(reporting(&time, ended.clone())).await;
    let message = tungstenite::Message::text("hello");
    closed.send(message.clone()).await.expect("sent");
    let answer = closed.next().await.expect("a message").expect("a frame");
    assert_eq!(answer, message);
    closed.close(None).await.expect("closed");
    let dropped = open_socket(reporting(&time, ended)).await;
    drop(dropped);
    for client in ["the first", "the second"] {
        let ended = tokio::time::timeout(Duration::from_secs(10), end.recv()).await;
        assert!(ended.is_ok_and(|it| it.is_some()), "{client} keeps a task");
    }
}

/// The time of the system may be set, or pass while the machine sleeps; a timer does not see that.
#[tokio::test(start_paused = true)]
async fn streams_end_despite_changed_wall_time() {
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
