//! A server over HTTP/1.1 for the clients of the schemes and of the engines.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::requests::position;

/// A response: the status and the body.
pub(super) type Response = (u16, Vec<u8>);

/// The document of a server. It can be replaced between two requests.
#[derive(Clone, Default)]
pub(super) struct Document(Arc<Mutex<Vec<u8>>>);

impl Document {
    /// Replaces the document.
    pub(super) fn set(&self, document: impl Into<Vec<u8>>) {
        *self.0.lock().expect("no panic") = document.into();
    }

    /// Returns the document.
    pub(super) fn get(&self) -> Vec<u8> {
        self.0.lock().expect("no panic").clone()
    }
}

/// Starts a server that responds to every request with the document, and returns its URL.
pub(super) fn serve_document(document: &Document) -> String {
    let document = document.clone();
    serve(move |_| (200, document.get()))
}

/// Starts a server that responds to the target of each request, and returns its URL. It ends with the process.
pub(super) fn serve(respond: impl Fn(&str) -> Response + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let respond = Arc::new(respond);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let respond = Arc::clone(&respond);
            thread::spawn(move || respond_to_all(stream, &*respond));
        }
    });
    format!("http://{address}")
}

/// Responds to the requests of one connection.
fn respond_to_all(mut stream: TcpStream, respond: &dyn Fn(&str) -> Response) {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        received.extend_from_slice(&buffer[..length]);
        let Some(end) = position(&received, b"\r\n\r\n") else {
            continue;
        };
        if received.len() < end + 4 + content_length(&received[..end]) {
            continue;
        }
        let head = String::from_utf8_lossy(&received[..end]).into_owned();
        received.clear();
        let (status, body) = respond(head.split(' ').nth(1).unwrap_or_default());
        let head = format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let response = [head.as_bytes(), &body].concat();
        if stream.write_all(&response).is_err() {
            return;
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}
