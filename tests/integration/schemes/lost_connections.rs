//! Servers that end a kept connection in the moment in which the next request is sent on it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_runtime::schemes::{Introspection, IntrospectionBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::introspection::active;
use crate::schemes::tokens::keys;
use crate::schemes::*;

/// A server that responds to the first request of each connection, and counts all requests.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start(document: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (count, document) = (Arc::clone(&count), document.to_string());
                tokio::spawn(async move { respond_once(client, &document, &count).await });
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Reads the next request on the connection as well. `None` if the client closes it before.
async fn respond_once(mut client: TcpStream, document: &str, count: &AtomicUsize) -> Option<()> {
    let mut request = vec![0; 1 << 16];
    if client.read(&mut request).await.ok()? == 0 {
        return None;
    }
    count.fetch_add(1, Ordering::SeqCst);
    let length = document.len();
    let response = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{document}"
    );
    client.write_all(response.as_bytes()).await.ok()?;
    if client.read(&mut request).await.ok()? > 0 {
        count.fetch_add(1, Ordering::SeqCst);
    }
    Some(())
}

/// Lets a connection become free for the next request.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// An assertion of the client is for one request only.
#[tokio::test]
async fn introspection_repeats_unless_client_has_key() {
    type Authenticate = fn(IntrospectionBuilder) -> IntrospectionBuilder;
    let clients: [(&str, Authenticate, u16, usize); 3] = [
        (
            "secret",
            |builder| builder.client_secret("api", "x"),
            200,
            3,
        ),
        (
            "form",
            |builder| builder.client_secret_post("api", "x"),
            200,
            3,
        ),
        (
            "key",
            |builder| builder.private_key_es256("api", keys().ec.serialize_pem(), ISSUER),
            503,
            2,
        ),
    ];
    for (name, authenticate, expected, requests) in clients {
        let server = Server::start(active()).await;
        let builder = Introspection::builder()
            .endpoint(format!("http://{}/introspect", server.address))
            .any_audience()
            .without_cache();
        let introspection = authenticate(builder).build().unwrap();
        let app = app(space(Bearer::introspection(introspection)));
        for expected in [200, expected] {
            let response = send(&app, "/read", &bearer("good")).await;
            assert_eq!(response.status(), expected, "{name}");
            pause().await;
        }
        assert_eq!(server.requests(), requests, "{name}");
    }
}

#[tokio::test]
async fn fetches_of_keys_are_repeated() {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let keys = json!({ "keys": [super::jwks::jwk("1", &key)] });
    let server = Server::start(keys).await;
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    let jwt = jwt.jwks_url(format!("http://{}/keys", server.address));
    let jwt = jwt.build().unwrap();
    for _ in 0..2 {
        assert_eq!(jwt.fetch_keys().await, Ok(()));
        pause().await;
    }
    assert_eq!(server.requests(), 3);
}
