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
#[path = "../../../../tests/src/ports.rs"]
mod ports;
#[path = "../../../../auth-runtime/engines/spicedb/tests/spicedb/process.rs"]
#[expect(dead_code, reason = "another test also stops it")]
mod process;
#[path = "../support/mod.rs"]
mod support;
#[path = "../access/world.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod world;
#[path = "../../../../auth-runtime/engines/spicedb/tests/spicedb/writes.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod writes;

use auth_forge::Forge;
use auth_runtime::objects::{Entity, Value};
use auth_runtime_audit::assert_access_matrix;
use auth_runtime_authzen::AuthZen;
use auth_runtime_spicedb::SpiceDb;

use crate::cerbos::Cerbos;
use crate::lists::{assert_lists_agree, fill};
use crate::process::Server;
use crate::support::Demo;
use crate::world::World;
use crate::writes::{Relationship, id, relationship};

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
    let demo = Demo::new().expect("the database is filled");
    let matrix = demo.access_matrix(by_cerbos(&cerbos, &demo.forge)).await;
    assert_access_matrix!(matrix.expect("every route can be asked"));
}

#[tokio::test]
async fn cerbos_has_the_lists_of_cedar() {
    let cerbos = start_cerbos();
    let demo = Demo::new().expect("the database is filled");
    let by_cerbos = World::with(&demo, by_cerbos(&cerbos, &demo.forge));
    let by_cedar = World::new().await;
    fill(&by_cerbos).await;
    fill(&by_cedar).await;
    assert_lists_agree(&by_cerbos, &by_cedar).await;
}

/// The relationships of an entity: each property is a relation, and each parent has a member.
fn relationships(entity: Entity) -> Vec<Relationship> {
    let subject = |kind: &str, name: &str| match kind {
        "User" => format!("user:{}", id(name)),
        "Team" => format!("team:{}#member", id(name)),
        other => panic!("no relation is about {other}"),
    };
    let uid = entity.uid();
    let object = format!("{}:{}", uid.entity_type().to_lowercase(), id(uid.id()));
    let mut texts = Vec::new();
    for parent in entity.parents() {
        assert_eq!(parent.entity_type(), "Team");
        texts.push(format!("team:{}#member@{object}", id(parent.id())));
    }
    for (name, value) in entity.properties() {
        match value {
            Value::Flag(true) => texts.push(format!("{object}#{name}@user:*")),
            Value::Flag(false) => {}
            Value::List(references) => texts.extend(references.iter().map(|it| match it {
                Value::Reference(kind, id) => format!("{object}#{name}@{}", subject(kind, id)),
                other => panic!("{name} has {other:?}"),
            })),
            other => panic!("{name} is {other:?}"),
        }
    }
    texts.iter().map(|text| relationship(text)).collect()
}

/// Writes the schema, and the relationships of the present state of the forge.
async fn by_spicedb(server: &Server, forge: &Forge) -> SpiceDb {
    server.write_schema(include_str!("../../spicedb.zed")).await;
    let entities = forge.entities().all().await.expect("the database works");
    let all: Vec<_> = entities.into_iter().flat_map(relationships).collect();
    assert!(all.len() > 10, "the forge has relationships: {}", all.len());
    server.write(&all).await;
    server.engine().build().expect("a valid URL")
}

#[tokio::test]
async fn spicedb_has_the_matrix_of_cedar() {
    let server = Server::start();
    let demo = Demo::new().expect("the database is filled");
    let engine = by_spicedb(&server, &demo.forge).await;
    let matrix = demo.access_matrix(engine).await;
    assert_access_matrix!(matrix.expect("every route can be asked"));
}

/// The relationships are those after all changes. A change alone would not reach SpiceDB.
#[tokio::test]
async fn spicedb_has_the_lists_of_cedar() {
    let server = Server::start();
    let demo = Demo::new().expect("the database is filled");
    let by_cedar = World::with(&demo, demo.forge.cedar().expect("valid policies"));
    fill(&by_cedar).await;
    let engine = by_spicedb(&server, &demo.forge).await;
    let by_spicedb = World::with(&demo, engine);
    assert_lists_agree(&by_spicedb, &by_cedar).await;
}
