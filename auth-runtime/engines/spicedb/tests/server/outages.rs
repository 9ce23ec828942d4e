//! A server that is slow, hangs or speaks another protocol.

use std::time::{Duration, Instant};

use auth_runtime_spicedb::SpiceDb;
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::pdp::{Behaviour, Pdp};
use crate::{IN_TIME, TIMEOUT, ask, ask_as, assert_it_decides, engine, engine_at, list, read};

async fn assert_nothing_is_granted(engine: &SpiceDb) {
    let begun = Instant::now();
    assert!(ask(engine, &[read("own")]).await.is_err());
    assert!(begun.elapsed() < IN_TIME);
    let begun = Instant::now();
    assert!(list(engine).await.is_err());
    assert!(begun.elapsed() < IN_TIME);
}

#[tokio::test]
async fn late_responses_grant_nothing() {
    for behaviour in [
        Behaviour::Late(TIMEOUT * 3),
        Behaviour::Never,
        Behaviour::OnlyHead,
    ] {
        let pdp = Pdp::start().await;
        let engine = engine(&pdp);
        pdp.behave(Behaviour::Late(TIMEOUT / 5));
        assert_it_decides(&engine).await;
        pdp.behave(behaviour);
        let begun = Instant::now();
        assert_nothing_is_granted(&engine).await;
        assert!(begun.elapsed() >= TIMEOUT * 2, "it waits");
        pdp.behave(Behaviour::Decide);
        assert_it_decides(&engine).await;
    }
}

/// The server works: a caller with long lists does not open the circuit for others.
#[tokio::test]
async fn unfinished_lists_are_no_server_failures() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Unfinished);
    for _ in 0..6 {
        assert!(list(&engine).await.is_err());
    }
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&engine).await;
}

/// A listener that accepts connections, sends `greeting`, and keeps them.
async fn listener(greeting: &'static [u8], is_closed: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(greeting).await;
            if !is_closed {
                kept.push(stream);
            }
        }
    });
    format!("http://127.0.0.1:{port}")
}

#[tokio::test]
async fn other_protocols_grant_nothing() {
    for (name, greeting, is_closed) in [
        ("silence", &b""[..], false),
        ("an end", b"", true),
        (
            "HTTP/1.1",
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            false,
        ),
        ("SSH", b"SSH-2.0-OpenSSH_9.6\r\n", true),
        ("a TLS alert", b"\x15\x03\x01\x00\x02\x02\x28", true),
        ("zeros", &[0; 4096], false),
        ("settings, and then an end", b"\0\0\0\x04\0\0\0\0\0", true),
        ("settings, and then silence", b"\0\0\0\x04\0\0\0\0\0", false),
        (
            "a farewell",
            b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0",
            false,
        ),
    ] {
        let engine = engine_at(&listener(greeting, is_closed).await)
            .build()
            .unwrap();
        let begun = Instant::now();
        assert_nothing_is_granted(&engine).await;
        println!("{name}: {:?}", begun.elapsed());
    }
}

/// The first connection is lost without a sign; the server answers over others.
#[tokio::test]
async fn lost_connection_is_replaced() {
    let pdp = Pdp::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let port = pdp.port();
    tokio::spawn(async move {
        let (_lost, _) = listener.accept().await.unwrap();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    let engine = engine_at(&url).build().unwrap();
    assert!(ask(&engine, &[read("own")]).await.is_err());
    assert_it_decides(&engine).await;
}

#[tokio::test]
async fn repeated_failures_stop_calls() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Status(14));
    for _ in 0..5 {
        assert!(ask(&engine, &[read("own")]).await.is_err());
    }
    pdp.behave(Behaviour::Decide);
    let (opened, seen) = (Instant::now(), pdp.seen().len());
    for _ in 0..100 {
        let error = ask(&engine.clone(), &[read("own")]).await.unwrap_err();
        assert!(
            error
                .retry_time()
                .is_some_and(|wait| wait > Duration::from_secs(2))
        );
    }
    assert!(opened.elapsed() < Duration::from_secs(1), "at once");
    assert_eq!(pdp.seen().len(), seen);
}

#[tokio::test]
async fn concurrent_calls_are_bounded() {
    let pdp = Pdp::start().await;
    let engine = engine_at(&pdp.url()).timeout(TIMEOUT * 4).build().unwrap();
    pdp.behave(Behaviour::Never);
    let calls: Vec<_> = (0..256)
        .map(|caller| {
            let engine = engine.clone();
            tokio::spawn(
                async move { ask_as(&format!("u{caller}"), &engine, &[read("own")]).await },
            )
        })
        .collect();
    while pdp.seen().len() < 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let begun = Instant::now();
    let error = ask(&engine, &[read("own")]).await.unwrap_err();
    assert!(error.to_string().contains("256 requests"), "{error}");
    assert!(begun.elapsed() < TIMEOUT);
    for call in calls {
        assert!(call.await.unwrap().is_err());
    }
}

/// The calls of one caller are not answered, and neither is the last one of it made.
#[tokio::test]
async fn one_caller_leaves_calls_to_others() {
    let pdp = Pdp::start().await;
    let engine = engine_at(&pdp.url()).timeout(TIMEOUT * 4).build().unwrap();
    pdp.behave(Behaviour::Never);
    let hostile: Vec<_> = (0..51)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { ask_as("mallory", &engine, &[read("own")]).await })
        })
        .collect();
    while pdp.seen().len() < 51 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    pdp.behave(Behaviour::Decide);
    let error = ask_as("mallory", &engine, &[read("own")])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("of this caller"), "{error}");
    assert_it_decides(&engine).await;
    for call in hostile {
        call.abort();
    }
}

/// The server fails on the questions of one caller only.
#[tokio::test]
async fn failures_of_one_caller_are_isolated() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Status(14));
    for _ in 0..20 {
        let decided = ask_as("mallory", &engine, &[read("own")]).await;
        assert!(decided.is_err());
    }
    pdp.behave(Behaviour::Decide);
    assert!(ask_as("mallory", &engine, &[read("own")]).await.is_err());
    assert_it_decides(&engine).await;
}

/// A call that the client abandons frees its place, and the next one is made.
#[tokio::test]
async fn abandoned_calls_free_their_places() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Never);
    for _ in 0..10 {
        let calls = (0..256).map(|_| {
            let engine = engine.clone();
            async move { ask(&engine, &[read("own")]).await }
        });
        let calls = futures_util::future::join_all(calls);
        assert!(
            tokio::time::timeout(Duration::from_millis(20), calls)
                .await
                .is_err()
        );
    }
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&engine).await;
}

/// An engine that was used in a runtime that ended.
#[test]
fn runtimes_end() {
    let servers = tokio::runtime::Runtime::new().unwrap();
    let pdp = servers.block_on(Pdp::start());
    let engine = engine(&pdp);
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(assert_it_decides(&engine));
    }
}
