//! A client that sends two requests of HTTP/2 in one write, and reads the order of their responses.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// The streams of a connection before the next one is opened.
const STREAMS: u32 = 200_000;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The types of frames (RFC 9113 §6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
/// Flags.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// The largest window.
const WINDOW: u32 = (1 << 31) - 1;

/// A compressed header section (RFC 7541).
#[derive(Clone)]
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    /// The fields of a GET request for `path`. Nothing is added to the dynamic table.
    pub(crate) fn get(path: &str, authorization: Option<&str>) -> Self {
        // `:method: GET` and `:scheme: http`, by their numbers in the static table.
        let mut block = vec![0x82, 0x86];
        literal(&mut block, &[4], path);
        literal(&mut block, &[1], "bench.example");
        if let Some(value) = authorization {
            // The 23rd field; a number of 4 bits with a second byte.
            literal(&mut block, &[15, 23 - 15], value);
        }
        Self(block)
    }
}

/// Adds a field without indexing, with its name by its number.
fn literal(block: &mut Vec<u8>, name: &[u8], value: &str) {
    block.extend(name);
    match u8::try_from(value.len()) {
        Ok(length @ 0..127) => block.push(length),
        _ => {
            block.push(127);
            let mut rest = value.len() - 127;
            while rest >= 128 {
                block.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            block.push(rest as u8);
        }
    }
    block.extend(value.as_bytes());
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The responses to a pair of requests.
pub(crate) struct Responses {
    /// Whether the response to the first request came first.
    pub(crate) is_first_first: bool,
    /// The header sections, in the order of the requests.
    pub(crate) fields: [Vec<u8>; 2],
}

pub(crate) struct Client {
    address: SocketAddr,
    stream: TcpStream,
    /// Bytes that were received, and not read yet.
    received: Vec<u8>,
    next: u32,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let mut client = Self {
            address,
            stream: TcpStream::connect(address).expect("the server is there"),
            received: Vec::new(),
            next: 1,
        };
        client.stream.set_nodelay(true).expect("a socket");
        let mut hello = PREFACE.to_vec();
        // No dynamic table (1), so that equal responses have equal bytes; no push (2); large windows (4).
        let settings: [(u16, u32); 3] = [(1, 0), (2, 0), (4, WINDOW)];
        let settings = settings.map(|(name, value)| {
            let (name, value) = (name.to_be_bytes(), value.to_be_bytes());
            [&name[..], &value[..]].concat()
        });
        hello.extend(frame(SETTINGS, 0, 0, &settings.concat()));
        let more = (WINDOW - 65535).to_be_bytes();
        hello.extend(frame(WINDOW_UPDATE, 0, 0, &more));
        client.send(&hello);
        client
    }

    /// One write, and so one segment on loopback.
    fn send(&mut self, bytes: &[u8]) {
        let written = self.stream.write(bytes).expect("the server reads");
        assert_eq!(written, bytes.len(), "in one write");
    }

    /// Sends both requests in one write, and waits for both responses.
    pub(crate) fn ask(&mut self, requests: [&Fields; 2]) -> Responses {
        if self.next > STREAMS {
            *self = Self::connect(self.address);
        }
        let streams = [self.next, self.next + 2];
        self.next += 4;
        let flags = END_STREAM | END_HEADERS;
        let frames = [0, 1].map(|at| frame(HEADERS, flags, streams[at], &requests[at].0));
        self.send(&frames.concat());
        let (mut is_first_first, mut is_begun) = (false, false);
        let mut fields = [Vec::new(), Vec::new()];
        let mut is_open = [true; 2];
        while is_open.contains(&true) {
            let frame = self.receive();
            match frame.kind {
                HEADERS | DATA => {
                    let at = usize::from(frame.stream == streams[1]);
                    assert_eq!(frame.stream, streams[at]);
                    if frame.kind == HEADERS {
                        is_first_first |= !is_begun && at == 0;
                        is_begun = true;
                        fields[at] = frame.payload;
                    }
                    is_open[at] &= frame.flags & END_STREAM == 0;
                }
                SETTINGS if frame.flags & ACK == 0 => {
                    self.send(&self::frame(SETTINGS, ACK, 0, &[]))
                }
                PING if frame.flags & ACK == 0 => {
                    self.send(&self::frame(PING, ACK, 0, &frame.payload));
                }
                GOAWAY | RST_STREAM => panic!("{:?}", frame.payload),
                _ => {}
            }
        }
        Responses {
            is_first_first,
            fields,
        }
    }

    fn receive(&mut self) -> Frame {
        let mut piece = [0; 16384];
        loop {
            if let Some((head, rest)) = self.received.split_first_chunk::<9>() {
                let [a, b, c, kind, flags, stream @ ..] = *head;
                let length = u32::from_be_bytes([0, a, b, c]) as usize;
                if let Some(payload) = rest.get(..length) {
                    let frame = Frame {
                        kind,
                        flags,
                        stream: u32::from_be_bytes(stream),
                        payload: payload.to_vec(),
                    };
                    self.received.drain(..9 + length);
                    return frame;
                }
            }
            let length = self.stream.read(&mut piece).expect("the server answers");
            assert!(length > 0, "the server closed the connection");
            self.received.extend_from_slice(&piece[..length]);
        }
    }
}
