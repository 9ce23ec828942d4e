//! Questions to a server of the tests over gRPC, which answers well or badly, late or never.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, also in its helpers"
)]

mod answers;
mod messages;
mod outages;
mod pdp;
mod service;
mod settings;
mod tls;

use std::time::Duration;

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, DecisionPointError, Evaluation, EvaluationRequest, ObjectDecision, Permitted,
    Resource,
};
use auth_runtime_spicedb::{SpiceDb, SpiceDbBuilder};

use crate::pdp::Pdp;

/// The deadline of the engines.
const TIMEOUT: Duration = Duration::from_millis(500);
/// The deadline, and time for the scheduler of a busy machine.
const IN_TIME: Duration = Duration::from_millis(1500);
const KEY: &str = "key-of-the-tests";

fn engine_at(url: &str) -> SpiceDbBuilder {
    SpiceDb::builder()
        .url(url)
        .preshared_key(KEY)
        .timeout(TIMEOUT)
}

fn engine(pdp: &Pdp) -> SpiceDb {
    engine_at(&pdp.url()).build().unwrap()
}

/// A question that the server of the tests answers with permission if the id is `own`.
fn read(id: &str) -> Evaluation {
    Evaluation::new("read", Resource::new("Document", id))
}

type Decided = Result<Vec<ObjectDecision>, DecisionPointError>;

async fn ask(engine: &SpiceDb, evaluations: &[Evaluation]) -> Decided {
    ask_as("ann", engine, evaluations).await
}

async fn ask_as(subject: &str, engine: &SpiceDb, evaluations: &[Evaluation]) -> Decided {
    let caller = Identity::new(subject);
    engine
        .evaluate(EvaluationRequest::new(&caller, evaluations))
        .await
}

async fn list(engine: &SpiceDb) -> Result<Vec<String>, DecisionPointError> {
    let ann = Identity::new("ann");
    let request = EvaluationRequest::new(&ann, &[]);
    match engine.permitted("read", "Document", request).await? {
        Permitted::Ids(ids) => Ok(ids),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_it_decides(engine: &SpiceDb) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let decided = ask(engine, &[read("other"), read("own"), read("*")]).await;
        let expected = [false, true, false].map(ObjectDecision::from);
        assert_eq!(decided, Ok(expected.to_vec()), "{caller}");
        assert_eq!(list(engine).await, Ok(vec!["own".to_owned()]), "{caller}");
    }
}
