//! Tokens among the subprotocols that a script in a browser offers.

use auth_runtime::public;
use auth_runtime::routing::any;
use auth_tests::serve;
use axum::extract::WebSocketUpgrade;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::*;

#[requires(scope = "read")]
async fn chat(guard: Guard, upgrade: WebSocketUpgrade) -> Response {
    let subject = guard.identity().subject().to_owned();
    upgrade.on_upgrade(async move |mut socket| {
        let _ = socket.send(subject.into()).await;
    })
}

/// A handler with a subprotocol of its own.
#[requires(scope = "read")]
async fn graphql(upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.protocols(["graphql-transport-ws"]);
    upgrade.on_upgrade(async |_| {})
}

#[requires(scope = "read", hide_as = 404)]
async fn hidden(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |_| {})
}

#[public(reason = "a page that greets everybody")]
async fn open(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |_| {})
}

#[requires(scope = "read")]
async fn shown() {}

#[requires(scope = "read")]
async fn connected() {}

fn app() -> ProtectedRouter {
    let in_browsers = rsa_verifier().in_subprotocol("bearer").without_challenge();
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(rsa_verifier()))
        .scheme(in_browsers.build().expect("a scheme"));
    GuardedRouter::new()
        .route("/chat", any(chat))
        .route("/graphql", any(graphql))
        .route("/hidden", any(hidden))
        .route("/open", any(open))
        .route("/shown", get(shown))
        .route("/connect", any(connected))
        .protect(space.build().expect("a space"))
        .expect("in order")
}

/// The accepted subprotocol, or the status of the denial. The client closes the connection if the server
/// accepts none of the offered subprotocols, as browsers do.
async fn connect(path: &str, offered: &[&str]) -> Result<String, u16> {
    let address = serve(app()).await;
    let mut request = format!("ws://{address}{path}")
        .into_client_request()
        .expect("a URL");
    let offered = offered.join(", ").parse().expect("a field value");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", offered);
    match connect_async(request).await {
        Ok((mut socket, response)) => {
            let _ = socket.send(Message::text("hello")).await;
            let accepted = response.headers().get("sec-websocket-protocol");
            Ok(accepted
                .expect("a subprotocol")
                .to_str()
                .expect("ASCII")
                .to_owned())
        }
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn unoffered_subprotocols_are_not_accepted() {
    let request = "GET /open HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
                   upgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                   sec-websocket-protocol: chat\r\n\r\n";
    let answer = auth_tests::send_raw(serve(app()).await, request.to_owned()).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(!answer.contains("sec-websocket-protocol"), "{answer}");
}

#[tokio::test]
async fn websocket_opens_with_a_subprotocol_token() {
    let token = rs256(json!({}));
    let expired = expired();
    for (path, offered, expected) in [
        ("/chat", &["bearer", &token][..], Ok("bearer")),
        ("/chat", &["chat", "bearer", &token], Ok("bearer")),
        ("/hidden", &["bearer", &token], Ok("bearer")),
        ("/open", &["bearer", &token], Ok("bearer")),
        ("/open", &["bearer", &expired], Ok("bearer")),
        // The handler accepts its own one.
        (
            "/graphql",
            &["graphql-transport-ws", "bearer", &token],
            Ok("graphql-transport-ws"),
        ),
        (
            "/graphql",
            &["bearer", &token, "graphql-transport-ws"],
            Ok("graphql-transport-ws"),
        ),
        ("/graphql", &["bearer", &token], Ok("bearer")),
        ("/chat", &["bearer", &expired], Err(401)),
        ("/chat", &[&token, "bearer"], Err(401)),
        ("/chat", &["Bearer", &token], Err(401)),
        ("/chat", &["bearer"], Err(401)),
        ("/chat", &["chat"], Err(401)),
        ("/chat", &["bearer", &token, "bearer", &token], Err(400)),
        ("/chat", &["bearer", "bearer", &token], Err(400)),
        ("/hidden", &["bearer", &expired], Err(404)),
        ("/nowhere", &["bearer", &token], Err(404)),
    ] {
        let accepted = connect(path, offered).await;
        assert_eq!(accepted, expected.map(str::to_owned), "{path} {offered:?}");
    }
}

#[tokio::test]
async fn handler_of_websocket_knows_caller() {
    let address = serve(app()).await;
    let mut request = format!("ws://{address}/chat")
        .into_client_request()
        .expect("a URL");
    let offered = format!("bearer, {}", rs256(json!({})));
    let offered = offered.parse().expect("a field value");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", offered);
    let (mut socket, _) = connect_async(request).await.expect("a connection");
    let message = socket.next().await.expect("a message").expect("in order");
    assert_eq!(message.into_text().expect("text"), "ann");
}

#[tokio::test]
async fn subprotocol_is_answered_in_handshakes_only() {
    let token = rs256(json!({}));
    for (upgrade, expected) in [(None, None), (Some("websocket"), Some("bearer"))] {
        let mut lines = vec![(
            "sec-websocket-protocol",
            format!("bearer, {token}").into_bytes(),
        )];
        lines.extend(upgrade.map(|value| ("upgrade", value.into())));
        let response = send(&app(), "/shown", &lines).await;
        assert_eq!(response.status(), 200);
        let accepted = response.headers().get("sec-websocket-protocol");
        assert_eq!(
            accepted.map(|value| value.to_str().expect("ASCII")),
            expected
        );
    }
    // The handshake of HTTP/2 (RFC 8441 §5).
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = "/connect".parse().expect("a path");
    let offered = format!("bearer, {token}").parse().expect("a field value");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", offered);
    let response = app().oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["sec-websocket-protocol"], "bearer");
    // Two lines are one list.
    let two_lines = vec![
        ("sec-websocket-protocol", b"chat, bearer".to_vec()),
        ("sec-websocket-protocol", token.clone().into_bytes()),
    ];
    assert_eq!(send(&app(), "/shown", &two_lines).await.status(), 200);
    let both = [
        vec![(
            "sec-websocket-protocol",
            format!("bearer, {token}").into_bytes(),
        )],
        bearer(&token),
    ];
    assert_eq!(send(&app(), "/shown", &both.concat()).await.status(), 400);
}

/// A response with the field would say that the connection changes its protocol.
#[tokio::test]
async fn a_refused_handshake_confirms_no_subprotocol() {
    let token = rs256(json!({}));
    for path in ["/chat", "/hidden"] {
        let lines = vec![
            (
                "sec-websocket-protocol",
                format!("bearer, {token}").into_bytes(),
            ),
            ("upgrade", b"websocket".to_vec()),
        ];
        // There is no `Sec-WebSocket-Key`.
        let response = send(&app(), path, &lines).await;
        assert!(response.status().is_client_error(), "{path}");
        assert_ne!(response.status(), 401, "{path}");
        assert!(
            !response.headers().contains_key("sec-websocket-protocol"),
            "{path}"
        );
    }
}
