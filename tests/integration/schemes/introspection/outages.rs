//! A server that does not respond, and tokens that it does not respond to.

use std::sync::atomic::AtomicBool;

use axum::body::Body;

use super::shares::{request_from, status_from};
use super::*;
use crate::schemes::tokens::keys;

/// The time for which a silent server is not asked.
const PAUSE: Duration = Duration::from_secs(5);

/// A server that responds to no token if it is down, and otherwise by the token.
#[derive(Clone, Default)]
struct Unreliable {
    is_down: Arc<AtomicBool>,
    questions: Arc<AtomicUsize>,
}

impl Unreliable {
    /// Returns a service that asks this server.
    async fn start(&self) -> ProtectedRouter {
        let server = Router::new()
            .route("/introspect", routing::post(respond))
            .with_state(self.clone());
        let address = auth_tests::serve(server).await;
        let builder = Introspection::builder()
            .endpoint(format!("http://{address}/introspect"))
            // A lost request is not repeated, so each one is a question.
            .private_key_es256("api", keys().ec.serialize_pem(), ISSUER)
            .any_audience();
        of(builder)
    }

    fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }
}

async fn respond(
    State(server): State<Unreliable>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    server.questions.fetch_add(1, Ordering::SeqCst);
    let token = form["token"].as_str();
    let (kind, _) = token.split_once('-').unwrap_or((token, ""));
    if kind == "hanging" {
        return std::future::pending().await;
    }
    if kind == "lost" || server.is_down.load(Ordering::SeqCst) {
        // The connection ends in the middle of the response.
        let lost = async { Err::<String, _>(std::io::Error::other("lost")) };
        return Body::from_stream(futures_util::stream::once(lost)).into_response();
    }
    if kind == "unreadable" {
        return "[]".into_response();
    }
    if kind == "long" {
        return "x".repeat(2 << 20).into_response();
    }
    match kind.parse() {
        Ok(status) => (StatusCode::from_u16(status).unwrap(), "{}").into_response(),
        Err(_) => Json(active()).into_response(),
    }
}

/// Sends this number of tokens of a kind from each address.
async fn send_from(app: &impl App, addresses: &[&str], kind: &str, tokens: usize) {
    for number in 0..tokens {
        for address in addresses {
            let token = format!("{kind}-{number}-{address}").replace(':', ".");
            assert_eq!(status_from(app, address, &token).await, 503, "{token}");
        }
    }
}

const ANN: &str = "192.0.2.1:1";
const THREE: [&str; 3] = ["203.0.113.1:1", "203.0.113.2:1", "203.0.113.3:1"];

#[tokio::test]
async fn a_silent_server_is_left_alone() {
    let server = Unreliable::default();
    let app = server.start().await;
    assert_eq!(status_from(&app, ANN, "first").await, 200);
    server.set_down(true);
    send_from(&app, &THREE, "good", 2).await;
    // The sixth one is not sent.
    assert_eq!(server.questions(), 1 + 5);
    server.set_down(false);
    for number in 0..20 {
        let request = request_from(ANN, &format!("good-{number}"));
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 503);
        let wait: u64 = response.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=PAUSE.as_secs()).contains(&wait), "{wait}");
    }
    assert_eq!(status_from(&app, ANN, "first").await, 200, "it is cached");
    assert_eq!(server.questions(), 1 + 5);
    tokio::time::sleep(PAUSE).await;
    for number in 0..3 {
        let token = format!("good-{number}");
        assert_eq!(status_from(&app, ANN, &token).await, 200);
    }
}

#[tokio::test]
async fn a_hanging_server_delays_few_requests() {
    let server = Unreliable::default();
    let app = server.start().await;
    let requests: Vec<_> = (0..5)
        .map(|number| {
            let app = app.clone();
            let token = format!("hanging-{number}");
            tokio::spawn(async move { status_from(&app, THREE[number % 3], &token).await })
        })
        .collect();
    while server.questions() < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let begun = tokio::time::Instant::now();
    tokio::time::pause();
    for request in requests {
        assert_eq!(request.await.unwrap(), 503);
    }
    let took = begun.elapsed().as_secs();
    assert!((9..=12).contains(&took), "{took}");
    let begun = tokio::time::Instant::now();
    assert_eq!(status_from(&app, ANN, "good").await, 503);
    assert_eq!(begun.elapsed().as_secs(), 0, "at once");
    assert_eq!(server.questions(), 5);
}

/// The server has responded, so other tokens may be introspected.
#[tokio::test]
async fn responses_about_tokens_exclude_no_other() {
    for kind in ["400", "401", "429", "500", "503", "unreadable", "long"] {
        let server = Unreliable::default();
        let app = server.start().await;
        send_from(&app, &THREE, kind, 4).await;
        assert_eq!(server.questions(), 12, "{kind}");
        assert_eq!(status_from(&app, ANN, "good").await, 200, "{kind}");
    }
}

#[tokio::test]
async fn unanswered_requests_count_in_a_row() {
    let server = Unreliable::default();
    let app = server.start().await;
    let [first, second, third] = THREE;
    send_from(&app, &[first, second], "lost", 2).await;
    send_from(&app, &[third], "500", 1).await;
    send_from(&app, &[third], "lost", 1).await;
    assert_eq!(status_from(&app, ANN, "good").await, 200);
}

#[tokio::test]
async fn silence_about_client_excludes_no_other() {
    let server = Unreliable::default();
    let app = server.start().await;
    let [mallory, accomplice, _] = THREE;
    send_from(&app, &[mallory], "lost", 20).await;
    assert_eq!(server.questions(), 5, "its own tokens are not sent");
    send_from(&app, &[accomplice], "lost", 2).await;
    assert_eq!(status_from(&app, ANN, "good").await, 200);
    // The server works.
    assert_eq!(status_from(&app, mallory, "other").await, 200);
}
