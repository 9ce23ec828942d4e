//! A server that is slow, hangs, ends, and starts again.

use std::time::{Duration, Instant};

use crate::pdp::{Behaviour, Pdp};
use crate::{IN_TIME, TIMEOUT, ask, assert_it_decides, assert_nothing_is_granted, engine, own};

#[tokio::test]
async fn slow_server_decides_within_the_deadline() {
    let pdp = Pdp::start();
    pdp.behave(Behaviour::Late(TIMEOUT / 5));
    assert_it_decides(&pdp, &engine(&pdp)).await;
}

#[tokio::test]
async fn late_responses_grant_nothing() {
    for behaviour in [
        Behaviour::Late(TIMEOUT * 3),
        Behaviour::Never,
        Behaviour::Trickle,
    ] {
        let pdp = Pdp::start();
        let engine = engine(&pdp);
        pdp.behave(behaviour);
        let begun = Instant::now();
        assert_nothing_is_granted(&pdp, &engine).await;
        assert!(begun.elapsed() >= TIMEOUT, "it waits");
        pdp.behave(Behaviour::Decide);
        assert_it_decides(&pdp, &engine).await;
    }
}

#[tokio::test]
async fn server_that_started_again_decides() {
    let mut pdp = Pdp::start();
    let engine = engine(&pdp);
    assert_it_decides(&pdp, &engine).await;
    for _ in 0..3 {
        pdp.stop();
        assert_nothing_is_granted(&pdp, &engine).await;
        pdp.start_again();
        let begun = Instant::now();
        assert_it_decides(&pdp, &engine).await;
        assert!(begun.elapsed() < IN_TIME);
        // A connection that the engine keeps ends without a request on it.
        pdp.stop();
        pdp.start_again();
        assert_it_decides(&pdp, &engine).await;
    }
}

#[tokio::test]
async fn servers_ending_during_requests_grant_nothing() {
    let mut pdp = Pdp::start();
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Never);
    let asked = tokio::spawn({
        let engine = engine.clone();
        async move { ask(&engine, &[own("read")]).await }
    });
    while pdp.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    pdp.stop();
    assert!(asked.await.unwrap().is_err());
    pdp.behave(Behaviour::Decide);
    pdp.start_again();
    assert_it_decides(&pdp, &engine).await;
}

#[tokio::test]
async fn server_that_never_ran_grants_nothing() {
    let mut pdp = Pdp::start();
    pdp.stop();
    assert_nothing_is_granted(&pdp, &engine(&pdp)).await;
}

/// The connection may have ended since it was not used, so there is one more attempt.
#[tokio::test]
async fn connections_without_response_grant_nothing() {
    let pdp = Pdp::start();
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Close);
    let begun = Instant::now();
    let error = ask(&engine, &[own("read"), own("update")])
        .await
        .unwrap_err();
    assert!(error.retry_time().is_some());
    assert!(begun.elapsed() < IN_TIME);
    assert_eq!(pdp.seen().len(), 2);
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&pdp, &engine).await;
}
