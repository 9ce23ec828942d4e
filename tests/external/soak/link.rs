//! A connection between the service and one of its servers, with faults.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{self, Receiver, Sender};
use tokio::task::{JoinHandle, JoinSet};

/// The state of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weather {
    Fine,
    /// Each piece of a response is late.
    Slow(Duration),
    /// No response arrives, and connections are reset at the end.
    Silent,
    /// Connections are reset in the middle of a response.
    Torn,
    /// Connections are reset at once.
    Down,
}

/// A port that forwards to a server.
pub(crate) struct Link {
    pub(crate) address: SocketAddr,
    weather: Sender<Weather>,
    accepting: JoinHandle<()>,
}

impl Link {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let weather = Sender::new(Weather::Fine);
        let watched = weather.subscribe();
        let accepting = tokio::spawn(async move {
            // Dropped with the task, and all connections with it.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(forward(client, server, watched.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            address,
            weather,
            accepting,
        }
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn forward(mut client: TcpStream, server: SocketAddr, mut weather: watch::Receiver<Weather>) {
    if forward_until_fault(&mut client, server, &mut weather)
        .await
        .is_none()
    {
        let _ = client.set_zero_linger();
    }
}

/// Returns `None` if the connection has to be reset.
async fn forward_until_fault(
    client: &mut TcpStream,
    server: SocketAddr,
    weather: &mut Receiver<Weather>,
) -> Option<()> {
    if *weather.borrow() == Weather::Down {
        return None;
    }
    let mut server = TcpStream::connect(server).await.ok()?;
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut request, mut response) = (vec![0; 16384], vec![0; 16384]);
    let mut before = *weather.borrow();
    loop {
        tokio::select! {
            changed = weather.changed() => {
                let now = *weather.borrow_and_update();
                if changed.is_err() || now == Weather::Down || before == Weather::Silent {
                    return None;
                }
                before = now;
            }
            read = client.read(&mut request) => {
                let length = read.ok()?;
                if length == 0 {
                    return Some(());
                }
                server.write_all(&request[..length]).await.ok()?;
            }
            read = server.read(&mut response) => {
                let length = read.ok()?;
                let piece = &response[..length];
                let now = *weather.borrow();
                match now {
                    Weather::Fine => {}
                    Weather::Slow(delay) => tokio::time::sleep(delay).await,
                    Weather::Torn => {
                        client.write_all(&piece[..length / 2]).await.ok()?;
                        return None;
                    }
                    Weather::Silent => {
                        let _ = weather.changed().await;
                        return None;
                    }
                    Weather::Down => return None,
                }
                if length == 0 {
                    return Some(());
                }
                client.write_all(piece).await.ok()?;
            }
        }
    }
}

/// The faults of a server, for the oracle.
#[derive(Default)]
pub(crate) struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    is_faulty: bool,
    ended: Option<Instant>,
}

impl Health {
    pub(crate) fn begin_fault(&self) {
        self.0.lock().expect("no panic").is_faulty = true;
    }

    pub(crate) fn end_fault(&self) {
        let mut state = self.0.lock().expect("no panic");
        state.is_faulty = false;
        state.ended = Some(Instant::now());
    }

    /// Returns whether a request that was sent at this time may notice a fault, up to `after` its end.
    pub(crate) fn may_fail(&self, sent: Instant, after: Duration) -> bool {
        let state = self.0.lock().expect("no panic");
        state.is_faulty || state.ended.is_some_and(|ended| ended + after > sent)
    }
}
