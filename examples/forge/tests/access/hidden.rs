//! Hidden objects.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::{World, all_routes, filled};

/// On every route, with every method, a repository that the caller may not read has the same bytes
/// as one that does not exist, and as an unknown path.
#[tokio::test]
async fn private_repository_looks_unknown() {
    let world = World::new().await;
    let mut compared = 0;
    for who in ["anonymous", "stu", "sue", "late", "tim"] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let unknown = world.ask(who, &format!("{method} /never/there"), "").await;
            for route in all_routes() {
                if !route.path.contains("{owner}/{repo}") {
                    continue;
                }
                let path = filled(&route.path);
                for body in ["", "{"] {
                    let private = world.ask(who, &format!("{method} {path}"), body).await;
                    assert_eq!(private, unknown, "{method} {path} by {who}");
                    let absent = path.replace("/ann/vault", "/ann/nothing");
                    let absent = world.ask(who, &format!("{method} {absent}"), body).await;
                    assert_eq!(private, absent, "{method} {path} by {who}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 2000, "{compared}");
}

#[tokio::test]
async fn secret_gist_looks_missing() {
    let world = World::new().await;
    for method in ["GET", "PATCH", "DELETE"] {
        let body = if method == "PATCH" {
            r#"{"content": "!"}"#
        } else {
            ""
        };
        let secret = world.ask("stu", &format!("{method} /gists/2"), body).await;
        let absent = world.ask("stu", &format!("{method} /gists/99"), body).await;
        let unknown = world
            .ask("stu", &format!("{method} /never/there"), body)
            .await;
        assert_eq!(secret.status, 404, "{method}");
        assert_eq!(secret, absent, "{method}");
        assert_eq!(secret, unknown, "{method}");
    }
    // A public gist of another person can be read, but not changed.
    assert_eq!(world.status("stu", "GET /gists/1", "").await, 200);
    assert_eq!(world.status("stu", "DELETE /gists/1", "").await, 404);
    assert_eq!(world.status("ann", "GET /gists/2", "").await, 200);
    assert_eq!(world.status("ann", "DELETE /gists/2", "").await, 204);
}

const LISTS: [&str; 7] = [
    "GET /explore",
    "GET /user/repos",
    "GET /user/starred",
    "GET /search/repositories?q=l",
    "GET /search/issues?q=e",
    "GET /notifications",
    "GET /gists",
];

/// Words of private objects.
const SECRETS: [&str; 4] = ["vault", "ledger", "door", "diary"];

#[tokio::test]
async fn lists_leave_hidden_objects_out() {
    let world = World::new().await;
    for request in LISTS {
        let seen = world.ask("stu", request, "").await;
        assert_eq!(seen.status, 200, "{request}");
        for secret in SECRETS {
            assert!(!seen.body.contains(secret), "{request}: {}", seen.body);
        }
    }
    let suspended = world.ask("stu", "GET /search/users?q=s", "").await.body;
    assert!(!suspended.contains("sue") && suspended.contains("stu"));
    assert_eq!(world.status("anonymous", "GET /users/sue", "").await, 404);
    let own = world.ask("ann", "GET /search/issues?q=door", "").await;
    assert!(own.body.contains("Is the door locked?"), "{}", own.body);
}

/// `profile` is a token of ann's without a scope for repositories or gists.
#[tokio::test]
async fn lists_are_limited_by_the_token() {
    let world = World::new().await;
    for request in LISTS {
        let seen = world.ask("profile", request, "").await;
        let expected = if request == "GET /explore" { 200 } else { 403 };
        assert_eq!(seen.status, expected, "{request}");
        for secret in SECRETS {
            assert!(!seen.body.contains(secret), "{request}: {}", seen.body);
        }
    }
}

#[tokio::test]
async fn newly_private_repository_disappears() {
    let world = World::new().await;
    assert_eq!(
        world.status("stu", "PUT /user/starred/ann/atlas", "").await,
        204
    );
    assert_eq!(world.status("stu", "GET /repos/ann/atlas", "").await, 200);
    let close = r#"{"visibility": "private"}"#;
    let changed = world.status("ann", "PATCH /repos/ann/atlas", close).await;
    assert_eq!(changed, 200);
    assert_eq!(world.status("stu", "GET /repos/ann/atlas", "").await, 404);
    for request in ["GET /user/starred", "GET /notifications"] {
        assert_eq!(world.ask("stu", request, "").await.body, "[]", "{request}");
    }
}

#[tokio::test]
async fn own_404_is_for_allowed_callers() {
    let world = World::new().await;
    for request in [
        "GET /repos/ann/vault/issues/99",
        "GET /repos/ann/vault/issues/one",
        "GET /repos/ann/vault/releases/v9",
        "DELETE /repos/ann/vault/keys/99",
        "PUT /repos/ann/vault/collaborators/nobody-at-all",
    ] {
        let body = if request.starts_with("PUT") {
            r#"{"level": "read"}"#
        } else {
            ""
        };
        assert_eq!(world.status("ann", request, body).await, 404, "{request}");
    }
}

#[tokio::test]
async fn same_name_elsewhere_grants_nothing() {
    let world = World::new().await;
    let namesake = r#"{"name": "vault", "visibility": "private"}"#;
    assert_eq!(world.status("stu", "POST /user/repos", namesake).await, 201);
    let own = world.ask("stu", "GET /repos/stu/vault", "").await;
    assert_eq!(own.json()["owner"], "stu");
    assert_eq!(world.status("stu", "GET /repos/ann/vault", "").await, 404);
    assert_eq!(world.status("ann", "GET /repos/stu/vault", "").await, 404);
}

/// A list has the repositories that the caller may read one by one, and no others.
#[tokio::test]
async fn lists_agree_with_single_repositories() {
    let world = World::new().await;
    let path = |repository: &Value| {
        let part = |name: &str| repository[name].as_str().expect("a text").to_owned();
        format!("{}/{}", part("owner"), part("name"))
    };
    let paths = |seen: &crate::world::Seen| -> BTreeSet<String> {
        let json = seen.json();
        json.as_array().expect("a list").iter().map(path).collect()
    };
    let people = ["ann", "rae", "wes", "stu", "tim", "bot"];
    let mut all = BTreeSet::new();
    for person in people {
        all.extend(paths(&world.ask(person, "GET /user/repos", "").await));
    }
    assert_eq!(all.len(), 3, "{all:?}");
    for person in people {
        let listed = paths(&world.ask(person, "GET /user/repos", "").await);
        let mut readable = BTreeSet::new();
        for repository in &all {
            let request = format!("GET /repos/{repository}");
            if world.status(person, &request, "").await == 200 {
                readable.insert(repository.clone());
            }
        }
        assert_eq!(listed, readable, "{person}");
    }
}
