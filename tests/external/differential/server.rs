//! Servers of others, on a free port of loopback.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use auth_tests::ports::free_port;

/// A server that ends when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server that listens at this address, and waits until it does.
    pub(crate) fn start(command: &mut Command, address: SocketAddr) -> Self {
        let child = command.spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            let ended = child.try_wait().expect("its state");
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            assert!(Instant::now() < deadline, "{command:?} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns an address that nothing listens at.
pub(crate) fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

/// A response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Returns the values of a field.
    pub(crate) fn field<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let named = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim())
    }
}

/// Sends a `GET` with these fields, and returns the response.
pub(crate) fn get(address: SocketAddr, target: &str, fields: &[(&str, &[u8])]) -> Answer {
    let mut request =
        format!("GET {target} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n").into_bytes();
    for (name, value) in fields {
        request.extend_from_slice(name.as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let timeout = Some(Duration::from_secs(10));
    stream.set_read_timeout(timeout).expect("a timeout");
    stream.write_all(&request).expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("a response");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.expect("a status"),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
