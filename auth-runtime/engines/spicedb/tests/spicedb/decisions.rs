//! Decisions and lists.

use auth_runtime::Identity;
use auth_runtime::objects::{Evaluation, Resource};

use crate::process::Server;
use crate::world::{REPOSITORIES, SCHEMA, USERS, World};
use crate::writes::relationship;
use crate::{decide, list};

const ACTIONS: [&str; 2] = ["read", "update"];

#[tokio::test]
async fn agree_with_the_oracle() {
    for seed in [7, 77, 777] {
        let server = Server::start();
        server.write_schema(SCHEMA).await;
        let world = World::new(seed);
        server.write(&world.relationships()).await;
        let engine = server.engine().build().unwrap();
        let (mut calls, mut allowed, mut asked) = (0, 0, 0);
        for (user, subject) in USERS.iter().enumerate() {
            let identity = Identity::new(*subject);
            let (mut evaluations, mut expected) = (Vec::new(), Vec::new());
            for action in ACTIONS {
                let mut permitted = Vec::new();
                for (repository, id) in REPOSITORIES.iter().enumerate() {
                    evaluations.push(Evaluation::new(action, Resource::new("Repository", *id)));
                    let may = world.may(user, action, repository);
                    expected.push(may);
                    permitted.extend(may.then(|| (*id).to_owned()));
                }
                permitted.sort();
                let listed = list(&engine, &identity, action, "Repository").await;
                assert_eq!(listed, Ok(permitted), "{subject:?} {action} {seed}");
            }
            let decided = decide(&engine, &identity, &evaluations).await;
            assert_eq!(decided, Ok(expected.clone()), "{subject:?} {seed}");
            // Two lists and a batch; relationships with the last two users cannot exist.
            calls += if user < USERS.len() - 2 { 3 } else { 0 };
            asked += expected.len();
            allowed += expected.iter().filter(|may| **may).count();
        }
        assert_eq!(server.calls().await, calls);
        assert!(
            asked > 300 && allowed > 50 && allowed < asked / 2,
            "{allowed} of {asked}"
        );
    }
}

#[tokio::test]
async fn lists_and_batches_of_10000() {
    let server = Server::start();
    server.write_schema(SCHEMA).await;
    let ids: Vec<_> = (0..10_001)
        .map(|number| format!("organization/repository-{number:05}"))
        .collect();
    let is_read = |index: usize| index.is_multiple_of(3);
    let relationships: Vec<_> = ids
        .iter()
        .enumerate()
        .flat_map(|(index, id)| {
            let all = relationship(&format!("repository:{id}#reader@user:all"));
            let some = relationship(&format!("repository:{id}#reader@user:ann"));
            [Some(all), is_read(index).then_some(some)]
        })
        .flatten()
        .collect();
    server.write(&relationships).await;
    let engine = server.engine().build().unwrap();
    let (ann, all) = (Identity::new("ann"), Identity::new("all"));
    let evaluations: Vec<_> = ids[..10_000]
        .iter()
        .map(|id| Evaluation::new("read", Resource::new("Repository", id.as_str())))
        .collect();
    let expected: Vec<_> = (0..10_000).map(is_read).collect();
    assert_eq!(decide(&engine, &ann, &evaluations).await, Ok(expected));
    assert_eq!(server.calls().await, 1);
    let expected: Vec<_> = ids.iter().step_by(3).cloned().collect();
    assert_eq!(
        list(&engine, &ann, "read", "Repository").await,
        Ok(expected)
    );
    let error = list(&engine, &all, "read", "Repository").await.unwrap_err();
    assert!(error.contains("more than 10000"), "{error}");
    server
        .delete(&[relationship(&format!(
            "repository:{}#reader@user:all",
            ids[7]
        ))])
        .await;
    let expected: Vec<_> = ids.iter().filter(|id| **id != ids[7]).cloned().collect();
    assert_eq!(
        list(&engine, &all, "read", "Repository").await,
        Ok(expected)
    );
}

/// Objects that were not written by `object_id` are never decided about, and are not in lists either.
#[tokio::test]
async fn other_forms_of_ids_are_unlisted() {
    let server = Server::start();
    server.write_schema(SCHEMA).await;
    let relationships = ["YWJj==", "=61", "plain"]
        .map(|id| relationship(&format!("repository:{id}#reader@user:ann")));
    server.write(&relationships).await;
    let engine = server.engine().build().unwrap();
    let ann = Identity::new("ann");
    let listed = list(&engine, &ann, "read", "Repository").await;
    assert_eq!(listed, Ok(vec!["plain".to_owned()]));
    let evaluations = ["YWJj==", "=61", "a", "plain"]
        .map(|id| Evaluation::new("read", Resource::new("Repository", id)));
    let decided = decide(&engine, &ann, &evaluations).await;
    assert_eq!(decided, Ok(vec![false, false, false, true]));
}

#[tokio::test]
async fn undeclared_names_fail_one_request() {
    let server = Server::start();
    server.write_schema(SCHEMA).await;
    server
        .write(&[relationship("repository:r#reader@user:ann")])
        .await;
    let engine = server
        .engine()
        .resource_type("Alias", "repository")
        .build()
        .unwrap();
    let ann = Identity::new("ann");
    let read = Evaluation::new("read", Resource::new("Repository", "r"));
    for (action, resource_type) in [
        ("read", "Document"),
        ("destroy", "Repository"),
        ("ls", "Repository"),
    ] {
        let wrong = Evaluation::new(action, Resource::new(resource_type, "r"));
        for _ in 0..6 {
            for evaluations in [vec![wrong.clone()], vec![read.clone(), wrong.clone()]] {
                let error = decide(&engine, &ann, &evaluations).await.unwrap_err();
                assert!(
                    error.contains(&resource_type.to_lowercase()) || error.contains(action),
                    "{error}"
                );
            }
        }
        assert!(list(&engine, &ann, action, resource_type).await.is_err());
    }
    assert_eq!(decide(&engine, &ann, &[read]).await, Ok(vec![true]));
    let alias = Evaluation::new("read", Resource::new("Alias", "r"));
    assert_eq!(decide(&engine, &ann, &[alias]).await, Ok(vec![true]));
    let engine = server.engine().subject_type("member").build().unwrap();
    let alias = Evaluation::new("read", Resource::new("Repository", "r"));
    assert!(decide(&engine, &ann, &[alias]).await.is_err());
}
