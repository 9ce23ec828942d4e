//! Tokens of changes.

use std::time::Duration;

use auth_runtime::Identity;
use auth_runtime::objects::{Evaluation, Resource};
use auth_runtime_spicedb::SpiceDb;

use crate::decide;
use crate::process::{KEY, Server};
use crate::world::SCHEMA;
use crate::writes::relationship;

/// An engine that decides by a state of the last seconds.
fn engine(server: &Server) -> SpiceDb {
    let engine = SpiceDb::builder().url(server.url()).preshared_key(KEY);
    engine.timeout(Duration::from_secs(20)).build().unwrap()
}

fn read(id: &str, token: Option<&str>) -> Evaluation {
    let resource = Resource::new("Repository", id);
    Evaluation::new(
        "read",
        match token {
            Some(token) => resource.with_property(SpiceDb::ZED_TOKEN, token),
            None => resource,
        },
    )
}

/// Without a token, the decision may be by an older state, or an error if that state has no schema yet. The
/// memory of this server does not keep old states for a certain time, so the test does not depend on it.
#[tokio::test]
async fn decisions_are_as_fresh_as_tokens() {
    let server = Server::start();
    server.write_schema(SCHEMA).await;
    let engine = engine(&server);
    let present = server.engine().build().unwrap();
    let ann = Identity::new("ann");
    let mut first_token = None;
    for number in 0..20 {
        let id = format!("r{number}");
        let readers = [relationship(&format!("repository:{id}#reader@user:ann"))];
        let token = server.write(&readers).await;
        let fresh = decide(&engine, &ann, &[read(&id, Some(&token))]).await;
        assert_eq!(fresh, Ok(vec![true]), "{number}");
        let first = first_token.get_or_insert_with(|| token.clone());
        let both = [
            read(&id, Some(&token)),
            read("r0", Some(first.as_str())),
            read("other", None),
        ];
        let calls = server.calls().await;
        assert_eq!(
            decide(&engine, &ann, &both).await,
            Ok(vec![true, true, false]),
            "{number}"
        );
        assert_eq!(server.calls().await, calls + 1, "{number}");
        let with_one = [
            read("other", None),
            read(&id, Some(&token)),
            read(&id, None),
        ];
        assert_eq!(
            decide(&engine, &ann, &with_one).await,
            Ok(vec![false, true, true]),
            "{number}"
        );
        assert_eq!(
            decide(&present, &ann, &[read(&id, None)]).await,
            Ok(vec![true]),
            "{number}"
        );
        let token = server.delete(&readers).await;
        let fresh = decide(&engine, &ann, &[read(&id, Some(&token))]).await;
        assert_eq!(fresh, Ok(vec![false]), "{number}");
        server
            .write(&[relationship("repository:r0#reader@user:ann")])
            .await;
    }
}

#[tokio::test]
async fn invalid_tokens_fail_one_request() {
    let server = Server::start();
    server.write_schema(SCHEMA).await;
    let token = server
        .write(&[relationship("repository:r#reader@user:ann")])
        .await;
    let engine = engine(&server);
    let ann = Identity::new("ann");
    for wrong in ["", "x", "GhUKEzE3MDAwMDAwMDAwMDAwMDAwMDA", "*"] {
        for _ in 0..6 {
            let error = decide(&engine, &ann, &[read("r", Some(wrong))])
                .await
                .unwrap_err();
            assert!(!error.contains("repeatedly"), "{error}");
        }
    }
    let fresh = decide(&engine, &ann, &[read("r", Some(&token))]).await;
    assert_eq!(fresh, Ok(vec![true]));
}
