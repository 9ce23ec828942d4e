//! Connections of clients.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

/// A service that has not responded by then does not respond.
const DEADLINE: Duration = Duration::from_secs(25);

/// A connection that is kept.
pub(crate) struct Connection(SendRequest<Empty<Bytes>>);

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Bytes,
}

async fn connect(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Connection {
    pub(crate) async fn open(from: Ipv4Addr, to: SocketAddr) -> Result<Self, String> {
        let stream = connect(from, to).await.map_err(|error| error.to_string())?;
        let shaken = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    pub(crate) async fn send(&mut self, request: Request<Empty<Bytes>>) -> Result<Reply, String> {
        let exchange = async {
            self.0.ready().await?;
            let (head, body) = self.0.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(Reply {
                status: head.status,
                fields: head.headers,
                body,
            })
        };
        match tokio::time::timeout(DEADLINE, exchange).await {
            Ok(reply) => reply.map_err(|error| error.to_string()),
            Err(_) => Err("no response".to_owned()),
        }
    }
}

/// Sends the beginning of a request, or all of it, and resets the connection.
pub(crate) async fn abandon(from: Ipv4Addr, to: SocketAddr, sent: &[u8], wait: Duration) {
    let Ok(mut stream) = connect(from, to).await else {
        return;
    };
    let _ = stream.write_all(sent).await;
    tokio::time::sleep(wait).await;
    let _ = stream.set_zero_linger();
}
