//! Concurrent requests, and a server that fails repeatedly.

use std::time::{Duration, Instant};

use auth_runtime_authzen::AuthZen;
use serde_json::json;

use crate::pdp::{Behaviour, Pdp};
use crate::{ask, ask_as, assert_it_decides, engine, own};

/// The time for which a server that failed 5 times is not asked.
const OPEN: Duration = Duration::from_secs(5);

async fn fail(pdp: &Pdp, engine: &AuthZen, status: u16, times: usize) {
    pdp.behave(Behaviour::Status(status));
    for _ in 0..times {
        assert!(ask(engine, &[own("read")]).await.is_err());
    }
}

#[tokio::test]
async fn repeated_failures_stop_calls() {
    let pdp = Pdp::start();
    let engine = engine(&pdp);
    fail(&pdp, &engine, 500, 4).await;
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&pdp, &engine).await;
    fail(&pdp, &engine, 500, 5).await;
    let opened = Instant::now();
    pdp.behave(Behaviour::Decide);
    let seen = pdp.seen().len();
    for _ in 0..100 {
        let error = ask(&engine, &[own("read")]).await.unwrap_err();
        let wait = error.retry_time().unwrap();
        assert!(wait > OPEN / 2 && wait <= OPEN, "{wait:?}");
    }
    assert!(opened.elapsed() < Duration::from_secs(1), "at once");
    assert_eq!(pdp.seen().len(), seen);

    // A probe that fails is the only request, and others do not wait for it.
    tokio::time::sleep_until((opened + OPEN).into()).await;
    pdp.behave(Behaviour::Never);
    let question = [own("read")];
    let (probe, others) = tokio::join!(ask(&engine, &question), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begun = Instant::now();
        for _ in 0..10 {
            assert!(ask(&engine, &[own("read")]).await.is_err());
        }
        begun.elapsed()
    });
    assert!(probe.is_err());
    assert!(others < Duration::from_millis(300), "{others:?}");
    assert_eq!(pdp.seen().len(), seen + 1);
    let failed = Instant::now();

    // A probe that succeeds is the last one.
    pdp.behave(Behaviour::Decide);
    assert!(ask(&engine, &[own("read")]).await.is_err());
    tokio::time::sleep_until((failed + OPEN).into()).await;
    assert_it_decides(&pdp, &engine).await;
}

#[tokio::test]
async fn rejected_requests_open_no_circuit() {
    for status in [400, 413, 422] {
        let pdp = Pdp::start();
        let engine = engine(&pdp);
        fail(&pdp, &engine, status, 20).await;
        assert_eq!(pdp.seen().len(), 20);
        pdp.behave(Behaviour::Decide);
        assert_it_decides(&pdp, &engine).await;
    }
}

/// The length of a response depends on its questions.
#[tokio::test]
async fn long_responses_open_no_circuit() {
    for behaviour in [Behaviour::Long(1024 * 1024), Behaviour::Endless] {
        let pdp = Pdp::start();
        let engine = engine(&pdp);
        pdp.behave(behaviour);
        for caller in ["ann", "bob", "cat", "ann", "bob", "cat"] {
            let error = ask_as(caller, &engine, &[own("read")]).await.unwrap_err();
            assert_eq!(error.to_string(), "the response is too long");
        }
        pdp.behave(Behaviour::Decide);
        assert_it_decides(&pdp, &engine).await;
    }
}

/// An error about a question opens the circuit if the server is the cause.
#[tokio::test]
async fn errors_about_questions_open_the_circuit() {
    for (status, seen) in [(404, 6), (500, 5)] {
        let pdp = Pdp::start();
        let engine = engine(&pdp);
        let context = json!({ "error": { "status": status } });
        pdp.send(&json!({ "decision": false, "context": context }));
        for caller in ["ann", "bob", "cat", "ann", "bob", "cat"] {
            let decided = ask_as(caller, &engine, &[own("read")]).await;
            assert!(decided.is_err(), "{status}");
        }
        assert_eq!(pdp.seen().len(), seen, "{status}");
    }
}

/// Otherwise one caller keeps the circuit closed while the server is dead for others.
#[tokio::test]
async fn rejected_requests_close_no_circuit() {
    let pdp = Pdp::start();
    let engine = engine(&pdp);
    for (caller, status) in [
        ("ann", 500),
        ("bob", 500),
        ("mallory", 400),
        ("ann", 500),
        ("bob", 500),
        ("mallory", 413),
        ("cat", 500),
    ] {
        pdp.behave(Behaviour::Status(status));
        assert!(ask_as(caller, &engine, &[own("read")]).await.is_err());
    }
    pdp.behave(Behaviour::Decide);
    assert!(ask_as("dan", &engine, &[own("read")]).await.is_err());
    assert_eq!(pdp.seen().len(), 7);
}

#[tokio::test]
async fn garbage_opens_the_circuit() {
    let pdp = Pdp::start();
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Send("{}".to_owned()));
    for _ in 0..20 {
        assert!(ask(&engine, &[own("read")]).await.is_err());
    }
    assert_eq!(pdp.seen().len(), 5);
}

#[tokio::test]
async fn concurrent_requests_are_bounded() {
    let pdp = Pdp::start();
    let timeout = Duration::from_secs(10);
    let engine = AuthZen::builder()
        .url(pdp.url())
        .timeout(timeout)
        .build()
        .unwrap();
    pdp.behave(Behaviour::Never);
    let waiting: Vec<_> = (0..256)
        .map(|caller| {
            let engine = engine.clone();
            tokio::spawn(
                async move { ask_as(&format!("u{caller}"), &engine, &[own("read")]).await },
            )
        })
        .collect();
    let begun = Instant::now();
    while pdp.seen().len() < 256 {
        assert!(begun.elapsed() < timeout, "{}", pdp.seen().len());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    pdp.behave(Behaviour::Decide);
    let begun = Instant::now();
    let error = ask(&engine, &[own("read")]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "256 requests to the server are under way"
    );
    assert_eq!(error.retry_time(), Some(Duration::from_secs(1)));
    assert!(begun.elapsed() < Duration::from_millis(500), "at once");
    assert_eq!(pdp.seen().len(), 256);
    // Requests that the clients abandon leave their places.
    for task in waiting {
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    assert_it_decides(&pdp, &engine).await;
}

#[tokio::test]
async fn one_caller_leaves_requests_to_others() {
    let pdp = Pdp::start();
    let timeout = Duration::from_secs(10);
    let engine = AuthZen::builder().url(pdp.url()).timeout(timeout);
    let engine = engine.build().unwrap();
    pdp.behave(Behaviour::Never);
    let hostile: Vec<_> = (0..300)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { ask_as("mallory", &engine, &[own("read")]).await })
        })
        .collect();
    let begun = Instant::now();
    while pdp.seen().len() < 51 {
        assert!(begun.elapsed() < timeout, "{}", pdp.seen().len());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    pdp.behave(Behaviour::Decide);
    let error = ask_as("mallory", &engine, &[own("read")])
        .await
        .unwrap_err();
    let message = "too many requests of this caller to the server are under way";
    assert_eq!(error.to_string(), message);
    assert_eq!(pdp.seen().len(), 51);
    assert_it_decides(&pdp, &engine).await;
    for task in hostile {
        task.abort();
    }
}

/// The server fails on the questions of one caller only.
#[tokio::test]
async fn failures_of_one_caller_are_isolated() {
    let pdp = Pdp::start();
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Status(500));
    for _ in 0..20 {
        let decided = ask_as("mallory", &engine, &[own("read")]).await;
        assert!(decided.is_err());
    }
    assert_eq!(pdp.seen().len(), 5, "mallory has to wait");
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&pdp, &engine).await;
}

#[tokio::test]
async fn failures_of_several_callers_count_together() {
    let pdp = Pdp::start();
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Status(500));
    for caller in ["ann", "bob", "cat", "ann", "bob"] {
        assert!(ask_as(caller, &engine, &[own("read")]).await.is_err());
    }
    pdp.behave(Behaviour::Decide);
    assert!(ask_as("dan", &engine, &[own("read")]).await.is_err());
    assert_eq!(pdp.seen().len(), 5);
}
