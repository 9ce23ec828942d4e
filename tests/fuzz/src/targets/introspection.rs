//! Responses of an introspection endpoint (RFC 7662): each input is one.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use auth_runtime::schemes::{Bearer, Introspection};
use serde_json::Value;

use super::jwt::{AUDIENCE, ISSUER};
use super::requests::{Sent, position};
use super::service::{NOW, SHOWN, Service, clock, router_of};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "introspection",
    dictionary: &[
        "\"active\":true",
        "\"active\":false",
        "\"active\":\"true\"",
        "\"sub\":\"ann\"",
        "\"username\":\"ann\"",
        "\"client_id\":\"c\"",
        "\"iss\":\"https://issuer.example\"",
        "\"aud\":\"https://api.example\"",
        "\"aud\":[\"https://api.example\"]",
        "\"exp\":1800000600",
        "\"exp\":1",
        "\"nbf\":1800000000",
        "\"iat\":1800000000",
        "\"scope\":\"a b\"",
        "\"token_type\":\"Bearer\"",
        "\"token_type\":\"DPoP\"",
        "\"cnf\":{\"jkt\":\"x\"}",
        "\"acr\":\"1\"",
        "\"auth_time\":1800000000",
        "null",
        "{}",
        "[]",
        ",",
        "\\ud800",
    ],
    start,
};

type Document = Arc<Mutex<Vec<u8>>>;

fn start() -> Check {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let document = Document::default();
    let served = Arc::clone(&document);
    // It ends with the process.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let document = Arc::clone(&served);
            thread::spawn(move || serve(stream, &document));
        }
    });
    let introspection = Introspection::builder()
        .endpoint_over_plain_http(format!("http://{address}/introspect"))
        .client_secret("service", "a secret of the service")
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .without_cache()
        .clock(clock());
    let bearer = Bearer::introspection(introspection.build().expect("an endpoint"));
    let service = Service::new(router_of(bearer));
    Box::new(move |input| {
        *document.lock().expect("no panic") = input.to_vec();
        let sent = Sent::parse(b"GET\nauthorization: Bearer opaque", SHOWN).expect("a request");
        let answer = service.respond(sent.to_request());
        answer.check(&sent);
        if answer.status == 200 {
            check_granted(input, &answer.body);
        }
        Outcome::of((
            answer.status.as_u16(),
            answer.lines("www-authenticate").concat(),
        ))
        .of_decision(answer.status == 200)
    })
}

/// Responds to requests of one connection with the document.
fn serve(mut stream: TcpStream, document: &Mutex<Vec<u8>>) {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        received.extend_from_slice(&buffer[..length]);
        // A form follows, without line breaks.
        let is_whole = position(&received, b"\r\n\r\n")
            .is_some_and(|end| received.len() >= end + 4 + content_length(&received[..end]));
        if !is_whole {
            continue;
        }
        received.clear();
        let document = document.lock().expect("no panic").clone();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            document.len()
        );
        if stream
            .write_all(&[head.as_bytes(), &document].concat())
            .is_err()
        {
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

/// By the last member of each name, as most parsers read JSON.
fn check_granted(document: &[u8], subject: &[u8]) {
    let document: Value = serde_json::from_slice(document).expect("JSON");
    let audience = match &document["aud"] {
        Value::Array(several) => several.iter().any(|one| one == AUDIENCE),
        one => one == AUDIENCE,
    };
    assert_eq!(document["active"], true, "{document}");
    assert!(audience, "{document}");
    assert!(
        document["iss"].is_null() || document["iss"] == ISSUER,
        "{document}"
    );
    let expires = document["exp"].as_f64();
    assert!(
        expires.is_none_or(|time| time > NOW as f64 - 300.0),
        "{document}"
    );
    let begins = document["nbf"].as_f64();
    assert!(
        begins.is_none_or(|time| time < NOW as f64 + 300.0),
        "{document}"
    );
    assert!(
        document["cnf"].is_null(),
        "a bound token as Bearer: {document}"
    );
    assert_eq!(
        document["sub"].as_str().map(str::as_bytes),
        Some(subject),
        "{document}"
    );
}
