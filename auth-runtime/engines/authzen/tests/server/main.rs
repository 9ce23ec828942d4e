//! Questions to a server of the tests over HTTP, which answers well or badly, late or never.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, also in its helpers"
)]

mod answers;
mod bounds;
mod chaos;
mod discovery;
mod entities;
mod outages;
mod pages;
mod pdp;
#[path = "../../../../../tests/src/ports.rs"]
mod ports;
mod questions;
mod search;
mod service;
mod strict;
mod tls;

use std::time::{Duration, Instant};

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, DecisionPointError, Evaluation, EvaluationRequest, ObjectDecision, Resource,
};
use auth_runtime_authzen::AuthZen;

use crate::pdp::Pdp;

/// The deadline of the engines.
const TIMEOUT: Duration = Duration::from_millis(500);
/// The deadline, and time for the scheduler of a busy machine.
const IN_TIME: Duration = Duration::from_millis(1500);

type Decided = Result<Vec<ObjectDecision>, DecisionPointError>;

fn engine(pdp: &Pdp) -> AuthZen {
    AuthZen::builder()
        .url(pdp.url())
        .timeout(TIMEOUT)
        .build()
        .unwrap()
}

fn document(id: &str, owner: &str) -> Resource {
    Resource::new("Document", id).with_property("owner", owner)
}

/// A question that the server of the tests answers by its policy: owners may do everything.
fn own(action: &'static str) -> Evaluation {
    Evaluation::new(action, document("d1", "ann"))
}

fn other(action: &'static str) -> Evaluation {
    Evaluation::new(action, document("d2", "bob"))
}

async fn ask(engine: &AuthZen, evaluations: &[Evaluation]) -> Decided {
    ask_as("ann", engine, evaluations).await
}

async fn ask_as(subject: &str, engine: &AuthZen, evaluations: &[Evaluation]) -> Decided {
    let caller = Identity::new(subject);
    engine
        .evaluate(EvaluationRequest::new(&caller, evaluations))
        .await
}

/// Asks one question that the policy allows, and then two, and asserts that each call is an error within
/// the deadline, after one request.
#[track_caller]
fn assert_nothing_is_granted(
    pdp: &Pdp,
    engine: &AuthZen,
) -> impl Future<Output = Vec<DecisionPointError>> {
    let caller = std::panic::Location::caller();
    async move {
        let mut errors = Vec::new();
        for evaluations in [vec![own("read")], vec![own("read"), own("update")]] {
            let (begun, seen) = (Instant::now(), pdp.seen().len());
            let decided = ask(engine, &evaluations).await;
            let error = decided.expect_err(&caller.to_string());
            assert!(begun.elapsed() < IN_TIME, "{caller}");
            assert!(error.retry_time().is_some(), "{caller}");
            assert!(pdp.seen().len() <= seen + 1, "{caller}");
            errors.push(error);
        }
        errors
    }
}

/// Asserts that both kinds of requests are decided by the policy, each by one request.
#[track_caller]
fn assert_it_decides(pdp: &Pdp, engine: &AuthZen) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let seen = pdp.seen().len();
        let one = ask(engine, &[own("read")]).await;
        assert_eq!(one, Ok(vec![ObjectDecision::allow()]), "{caller}");
        let one = ask(engine, &[other("read")]).await;
        assert_eq!(one, Ok(vec![ObjectDecision::deny()]), "{caller}");
        let several = ask(engine, &[other("read"), own("read"), other("update")]).await;
        let expected = [false, true, false].map(ObjectDecision::from);
        assert_eq!(several, Ok(expected.to_vec()), "{caller}");
        assert_eq!(pdp.seen().len(), seen + 3, "{caller}");
    }
}
