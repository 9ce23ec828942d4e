//! A port that forwards to a server, as the stable address of a Redis with a replica does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{Receiver, Sender};

/// The port. It is closed at the end of the test's runtime.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    server: Arc<AtomicU16>,
    lost: Sender<()>,
}

impl Proxy {
    /// Forwards to the server with this port.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let (server, lost) = (Arc::new(AtomicU16::new(port)), Sender::new(()));
        let (current, watched) = (Arc::clone(&server), lost.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = current.load(Ordering::SeqCst);
                tokio::spawn(forward(client, server, watched.subscribe()));
            }
        });
        Self {
            address,
            server,
            lost,
        }
    }

    /// Forwards new connections to the server with this port.
    pub(crate) fn switch_to(&self, port: u16) {
        self.server.store(port, Ordering::SeqCst);
    }

    /// Forwards nothing more on the present connections, which stay open.
    pub(crate) fn lose_connections(&self) {
        self.lost.send_replace(());
    }
}

async fn forward(mut client: TcpStream, port: u16, mut lost: Receiver<()>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        Ok(()) = lost.changed() => std::future::pending().await,
    }
}
