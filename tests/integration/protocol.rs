//! HTTP itself: other methods, older and newer versions, upgrades, and bodies that are not read.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use auth_runtime::routing::{any, get, post};
use auth_runtime::{GuardedRouter, ProtectedRouter, UnknownPaths, public, requires};
use auth_tests::{send_raw, serve, space, space_builder, token};
use axum::body::Bytes;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{Message, WebSocket};
use axum::response::Response;
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;

#[requires(scope = "read")]
async fn read() -> &'static str {
    "read"
}

#[requires(scope = "write")]
async fn upload(body: Bytes) -> String {
    body.len().to_string()
}

#[requires(scope = "admin", hide_as = 404)]
async fn hidden(body: Bytes) -> String {
    body.len().to_string()
}

#[requires(scope = "chat")]
async fn chat(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(echo)
}

#[requires(scope = "chat", hide_as = 404)]
async fn hidden_chat(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(echo)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(text) = message
            && socket.send(Message::Text(text)).await.is_err()
        {
            return;
        }
    }
}

#[public(reason = "a liveness probe")]
async fn open() -> &'static str {
    "open"
}

fn app() -> ProtectedRouter {
    GuardedRouter::new()
        .route("/read", get(read))
        .route("/upload", post(upload))
        .route("/hidden", post(hidden))
        .route("/chat", any(chat))
        .route("/hidden-chat", any(hidden_chat))
        .route("/open", get(open))
        .protect(space())
        .unwrap()
}

fn authorization(scope: &str) -> String {
    format!(
        "Authorization: Bearer {}\r\n",
        token(json!({ "scope": scope }))
    )
}

/// Returns the status and the fields of a response, without those that depend on the length of the
/// body.
fn head(answer: &str) -> (&str, Vec<&str>) {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let mut lines = head.lines();
    (lines.next().unwrap_or_default(), lines.collect())
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// RFC 9110 §9.3.2: the response to `GET`, without content.
#[tokio::test]
async fn head_matches_get() {
    let address = serve(app()).await;
    for (path, fields) in [
        ("/read", String::new()),
        ("/read", authorization("read")),
        ("/read", authorization("other")),
        ("/read", "Authorization: Bearer x\r\n".to_owned()),
        ("/open", String::new()),
        ("/nowhere", String::new()),
        ("/nowhere", "Authorization: Bearer x\r\n".to_owned()),
    ] {
        let send = async |method: &str| {
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
            send_raw(address, request).await
        };
        let (got, headed) = (send("GET").await, send("HEAD").await);
        assert_eq!(head(&headed), head(&got), "{path} {fields}");
        assert_eq!(body(&headed), "", "{path} {fields}");
    }
}

/// An unsupported method receives a 405 with `Allow` (RFC 9110 §15.5.6), for every caller.
#[tokio::test]
async fn options_is_a_method_like_others() {
    let address = serve(app()).await;
    for (path, expected) in [("/read", "405"), ("/hidden", "404"), ("/nowhere", "404")] {
        let request = format!("OPTIONS {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = send_raw(address, request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected} ")),
            "{answer}"
        );
        assert_eq!(
            answer.contains("\r\nallow: GET,HEAD\r\n"),
            expected == "405",
            "{answer}"
        );
    }
    let whole = "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = send_raw(address, whole).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn http_1_0_responses_are_same() {
    let address = serve(app()).await;
    for (path, fields, status) in [
        ("/read", String::new(), "401"),
        ("/read", authorization("read"), "200"),
        ("/read", authorization("other"), "403"),
        ("/hidden", String::new(), "404"),
        ("/open", String::new(), "200"),
    ] {
        // Without `Host`, and without a request to close the connection.
        let old = send_raw(address, format!("GET {path} HTTP/1.0\r\n{fields}\r\n")).await;
        let new = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
        let new = send_raw(address, new).await;
        assert!(old.starts_with(&format!("HTTP/1.0 {status} ")), "{old}");
        let without_connection = |answer: &str| {
            let (_, fields) = head(answer);
            let fields = fields
                .into_iter()
                .filter(|field| !field.starts_with("connection: "));
            fields.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(without_connection(&old), without_connection(&new), "{path}");
        assert_eq!(body(&old), body(&new), "{path}");
    }
}

#[tokio::test]
async fn http_2_responses_are_the_same() {
    let address = serve(app()).await;
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let good = format!("Bearer {}", token(json!({ "scope": "read" })));
    let poor = format!("Bearer {}", token(json!({ "scope": "other" })));
    for (path, authorization, status, challenge) in [
        (
            "/read",
            None,
            401,
            Some("Bearer realm=\"api\", scope=\"read\""),
        ),
        ("/read", Some(&good), 200, None),
        (
            "/read",
            Some(&poor),
            403,
            Some(
                "Bearer realm=\"api\", scope=\"read\", error=\"insufficient_scope\", error_description=\"the access token lacks a required scope\"",
            ),
        ),
        ("/hidden", None, 404, None),
        ("/nowhere", Some(&good), 404, None),
    ] {
        let mut request = hyper::Request::get(format!("http://{address}{path}"));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(response.status(), status, "{path}");
        let seen = response.headers().get("www-authenticate");
        assert_eq!(
            seen.map(|value| value.to_str().unwrap()),
            challenge,
            "{path}"
        );
    }

    // A denied body does not block the other streams of the connection. Two fields are ambiguous
    // (rule 5).
    let big = Full::new(Bytes::from(vec![b'x'; 4 << 20]));
    let request = hyper::Request::post(format!("http://{address}/upload"))
        .body(big.boxed())
        .unwrap();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    assert_eq!(client.send_request(request).await.unwrap().status(), 401);
    let twice = hyper::Request::get(format!("http://{address}/read"))
        .header("authorization", &good)
        .header("authorization", &good)
        .body(Full::new(Bytes::new()).boxed())
        .unwrap();
    assert_eq!(client.send_request(twice).await.unwrap().status(), 400);
}

/// A denial precedes the upgrade, with a regular response.
#[tokio::test]
async fn websocket_is_denied_before_its_handshake() {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    use tokio_tungstenite::{connect_async, tungstenite};

    let address = serve(app()).await;
    let connect = async |path: &str, authorization: Option<String>| {
        let mut request = format!("ws://{address}{path}")
            .into_client_request()
            .unwrap();
        if let Some(authorization) = authorization {
            let value = authorization.parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        connect_async(request).await
    };
    let denied = async |path: &str, authorization| match connect(path, authorization).await {
        Err(tungstenite::Error::Http(response)) => *response,
        other => panic!("{other:?}"),
    };
    let bearer = |scope: &str| Some(format!("Bearer {}", token(json!({ "scope": scope }))));

    let response = denied("/chat", None).await;
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        "Bearer realm=\"api\", scope=\"chat\""
    );
    assert!(response.headers().get("upgrade").is_none());
    assert_eq!(denied("/chat", bearer("other")).await.status(), 403);

    let unknown = denied("/nowhere", bearer("other")).await;
    let hidden = denied("/hidden-chat", bearer("other")).await;
    assert_eq!(hidden.status(), 404);
    let without_date = |response: &tungstenite::handshake::client::Response| {
        let mut headers = response.headers().clone();
        headers.remove("date");
        (response.status(), headers, response.body().clone())
    };
    assert_eq!(without_date(&hidden), without_date(&unknown));

    for path in ["/chat", "/hidden-chat"] {
        let (mut socket, response) = connect(path, bearer("chat")).await.unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        socket
            .send(tungstenite::Message::text("hello"))
            .await
            .unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        assert_eq!(answer.into_text().unwrap().as_str(), "hello");
    }
}

/// A connection with raw bytes.
struct Wire(TcpStream);

impl Wire {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
            .set_write_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        Self(stream)
    }

    fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// Reads one response with a `content-length`. `None` if the server closed the connection
    /// instead.
    fn read(&mut self) -> Option<String> {
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") {
            match self.0.read(&mut byte) {
                Ok(0) => return None,
                Ok(_) => answer.push(byte[0]),
                // The connection was closed before the server read all bytes.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
        let head = String::from_utf8(answer).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Some(head + &String::from_utf8(body).unwrap())
    }
}

async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// RFC 9110 §10.1.1: denied at once, without a `100 Continue`.
#[tokio::test]
async fn expect_continue_is_denied_at_once() {
    let address = serve(app()).await;
    let (write, read) = (authorization("write"), authorization("read"));
    blocking(move || {
        for (path, fields, status) in [
            ("/upload", String::new(), "401"),
            ("/upload", read.clone(), "403"),
            ("/upload", "Authorization: Bearer x\r\n".to_owned(), "401"),
            ("/hidden", read, "404"),
            ("/nowhere", String::new(), "404"),
        ] {
            let mut wire = Wire::to(address);
            wire.write(&format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\
                 Content-Length: 1000000\r\n{fields}\r\n"
            ));
            let answer = wire.read().unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        }
        let mut wire = Wire::to(address);
        wire.write(&format!(
            "POST /upload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n{write}\r\n"
        ));
        assert_eq!(wire.read().unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
        wire.write("abc");
        let answer = wire.read().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n3"), "{answer}");
    })
    .await;
}

/// The server does not wait for a large body. The connection is then usable or closed, and a part
/// of the body is never parsed as a request.
#[tokio::test]
async fn large_body_is_denied_unread() {
    let address = serve(app()).await;
    blocking(move || {
        for length in [10, 10_000, 100_000_000] {
            for path in ["/upload", "/hidden", "/nowhere"] {
                let mut wire = Wire::to(address);
                wire.write(&format!(
                    "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
                ));
                let status = if path == "/upload" { "401" } else { "404" };
                let answer = wire.read().expect("an answer before the body");
                assert!(
                    answer.starts_with(&format!("HTTP/1.1 {status} ")),
                    "{answer}"
                );

                // The body arrives after all, and looks like a request.
                let smuggled = "GET /open HTTP/1.1\r\nHost: x\r\n\r\n";
                let padding = "x".repeat(length.min(10_000) - smuggled.len().min(length));
                let body = if length == 10 {
                    "x".repeat(10)
                } else {
                    format!("{smuggled}{padding}")
                };
                let _ = wire.0.write_all(body.as_bytes());
                let _ = wire.0.write_all(b"GET /read HTTP/1.1\r\nHost: x\r\n\r\n");
                if length > 10_000 {
                    continue;
                }
                match wire.read() {
                    Some(answer) => {
                        assert!(
                            answer.starts_with("HTTP/1.1 401 "),
                            "{length} {path}: {answer}"
                        );
                        assert!(!answer.contains("open"), "{answer}");
                    }
                    None => assert!(wire.read().is_none(), "closed for good"),
                }
            }
        }
    })
    .await;
}

/// A client that sends a large body completely before it reads still receives the response.
#[tokio::test]
async fn early_denial_can_be_read() {
    let address = serve(app()).await;
    let answer = blocking(move || {
        let mut wire = Wire::to(address);
        wire.write("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
        let chunk = vec![b'x'; 100_000];
        for _ in 0..10 {
            // The server may have closed the connection.
            if wire.0.write_all(&chunk).is_err() {
                break;
            }
        }
        wire.read()
    })
    .await;
    let answer = answer.expect("the answer");
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

/// Each request of a connection is decided on its own.
#[tokio::test]
async fn connection_keeps_no_identity() {
    let space = space_builder()
        .unknown_paths(UnknownPaths::Challenge)
        .build()
        .unwrap();
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .protect(space);
    let address = serve(app.unwrap()).await;
    let fields = authorization("read");
    blocking(move || {
        let mut wire = Wire::to(address);
        for (path, fields, status) in [
            ("/read", fields.as_str(), "200"),
            ("/read", "", "401"),
            ("/nowhere", fields.as_str(), "404"),
            ("/nowhere", "", "401"),
        ] {
            wire.write(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n"));
            let answer = wire.read().unwrap();
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{path}: {answer}"
            );
        }
    })
    .await;
}
