//! The forge with other engines than Cedar: equal responses, and equal lists.
//!
//! Not part of `cargo test --workspace`, since it needs more than Rust: `cargo test -p auth-forge --test
//! forge_engines` installs the servers from npm.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, also in its helpers"
)]

#[path = "../../../../auth-runtime/engines/authzen/tests/cerbos/server.rs"]
mod cerbos;
#[path = "../access/lists.rs"]
mod lists;
#[path = "../access/world.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod world;

use auth_forge::{Forge, access_matrix};
use auth_runtime_audit::assert_access_matrix;
use auth_runtime_authzen::AuthZen;

use crate::cerbos::Cerbos;
use crate::lists::{assert_lists_agree, fill};
use crate::world::World;

/// The policies of `policies.cedar`, for Cerbos.
fn start_cerbos() -> Cerbos {
    Cerbos::start(&[
        (
            "repository.yaml",
            include_str!("../../cerbos/repository.yaml"),
        ),
        (
            "organization.yaml",
            include_str!("../../cerbos/organization.yaml"),
        ),
    ])
}

fn by_cerbos(cerbos: &Cerbos, forge: &Forge) -> AuthZen {
    AuthZen::builder()
        .url(cerbos.url())
        .subject_type("User")
        .entities(forge.entities())
        .questions_per_request(50)
        .build()
        .expect("a valid URL")
}

#[tokio::test]
async fn cerbos_has_the_matrix_of_cedar() {
    let cerbos = start_cerbos();
    let forge = Forge::new().expect("the database is filled");
    let matrix = access_matrix(&forge, by_cerbos(&cerbos, &forge)).await;
    assert_access_matrix!(matrix.expect("every route can be asked"));
}

#[tokio::test]
async fn cerbos_has_the_lists_of_cedar() {
    let cerbos = start_cerbos();
    let forge = Forge::new().expect("the database is filled");
    let by_cerbos = World::with(&forge, by_cerbos(&cerbos, &forge)).await;
    let by_cedar = World::new().await;
    fill(&by_cerbos).await;
    fill(&by_cedar).await;
    assert_lists_agree(&by_cerbos, &by_cedar).await;
}
