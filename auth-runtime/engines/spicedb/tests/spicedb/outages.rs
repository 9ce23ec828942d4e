//! A server that ends, hangs, starts again or rejects the key.

use std::time::{Duration, Instant};

use auth_runtime::Identity;
use auth_runtime::objects::{Evaluation, Resource};
use auth_runtime_spicedb::SpiceDb;

use crate::process::{KEY, Server};
use crate::world::SCHEMA;
use crate::writes::relationship;
use crate::{decide, list};

const TIMEOUT: Duration = Duration::from_secs(1);
/// The deadline, and time for the scheduler of a busy machine.
const IN_TIME: Duration = Duration::from_millis(2500);

async fn fill(server: &Server) {
    server.write_schema(SCHEMA).await;
    server
        .write(&[relationship("repository:r#reader@user:ann")])
        .await;
}

fn read() -> [Evaluation; 1] {
    [Evaluation::new("read", Resource::new("Repository", "r"))]
}

async fn assert_it_decides(engine: &SpiceDb) {
    let ann = Identity::new("ann");
    assert_eq!(decide(engine, &ann, &read()).await, Ok(vec![true]));
    assert_eq!(
        list(engine, &ann, "read", "Repository").await,
        Ok(vec!["r".to_owned()])
    );
}

async fn assert_nothing_is_granted(engine: &SpiceDb) {
    let ann = Identity::new("ann");
    let begun = Instant::now();
    assert!(decide(engine, &ann, &read()).await.is_err());
    assert!(begun.elapsed() < IN_TIME);
    let begun = Instant::now();
    assert!(list(engine, &ann, "read", "Repository").await.is_err());
    assert!(begun.elapsed() < IN_TIME);
}

#[tokio::test]
async fn outages_grant_nothing() {
    let mut server = Server::start();
    fill(&server).await;
    let engine = server.engine().timeout(TIMEOUT).build().unwrap();
    for _ in 0..3 {
        assert_it_decides(&engine).await;
        server.stop();
        assert_nothing_is_granted(&engine).await;
        server.start_again();
        fill(&server).await;
        assert_it_decides(&engine).await;
        // The connection of the engine ends without a call over it.
        server.stop();
        server.start_again();
        fill(&server).await;
    }
}

#[tokio::test]
async fn nothing_is_granted_while_it_hangs() {
    let server = Server::start();
    fill(&server).await;
    let engine = server.engine().timeout(TIMEOUT).build().unwrap();
    assert_it_decides(&engine).await;
    server.signal("STOP");
    assert_nothing_is_granted(&engine).await;
    server.signal("CONT");
    assert_it_decides(&engine).await;
}

/// The server limits the depth of teams in teams. Such questions of three callers would otherwise exclude all others.
#[tokio::test]
async fn circles_of_teams_fail_their_requests() {
    let server = Server::start();
    fill(&server).await;
    server
        .write(&[
            relationship("team:a#member@team:b#member"),
            relationship("team:b#member@team:a#member"),
            relationship("repository:circle#reader@team:a#member"),
        ])
        .await;
    let engine = server.engine().build().unwrap();
    let circle = [Evaluation::new(
        "read",
        Resource::new("Repository", "circle"),
    )];
    for caller in ["ann", "bob", "cat", "ann", "bob", "cat"] {
        let decided = decide(&engine, &Identity::new(caller), &circle).await;
        let error = decided.unwrap_err();
        assert!(error.contains("max depth exceeded"), "{error}");
    }
    assert_it_decides(&engine).await;
}

#[tokio::test]
async fn rejected_key_grants_nothing() {
    let server = Server::start();
    fill(&server).await;
    let ann = Identity::new("ann");
    for key in ["another-key", "key-of-the-test", "key-of-the-tests2"] {
        let engine = server.engine().preshared_key(key).build().unwrap();
        for error in [
            decide(&engine, &ann, &read()).await.unwrap_err(),
            list(&engine, &ann, "read", "Repository").await.unwrap_err(),
        ] {
            assert!(error.contains("rejected the preshared key"), "{error}");
            assert!(
                !error.contains(key) && !format!("{engine:?}").contains(key),
                "{error}"
            );
        }
    }
    assert_it_decides(&server.engine().preshared_key(KEY).build().unwrap()).await;
}
