//! Lists have the objects that requests for single ones are granted for.

use serde_json::Value;

use crate::world::World;

/// The lists of the forge. All of `/search/repositories` have an `a`.
const LISTS: [&str; 5] = [
    "GET /user/repos",
    "GET /user/starred",
    "GET /search/repositories?q=a",
    "GET /search/issues?q=o",
    "GET /notifications",
];

/// The number of further repositories: more than a request to Cerbos may ask about.
const FURTHER: usize = 60;

/// Adds repositories and stars, and then takes a starred one away from its reader.
pub(crate) async fn fill(world: &World) {
    for number in 0..FURTHER {
        let visibility = ["public", "private"][number % 2];
        let new = format!(r#"{{"name": "atoll-{number}", "visibility": "{visibility}"}}"#);
        let owner = ["ann", "stu", "rae"][number % 3];
        let made = world.status(owner, "POST /user/repos", &new).await;
        assert_eq!(made, 201);
    }
    let team = r#"{"level": "read"}"#;
    let grant = "PUT /orgs/guild/teams/clerks/repos/ledger";
    assert_eq!(world.status("ann", grant, team).await, 204);
    for name in ["ann", "rae", "wes", "tim"] {
        for repository in ["ann/atlas", "ann/vault", "guild/ledger", "rae/atoll-2"] {
            let star = format!("PUT /user/starred/{repository}");
            world.status(name, &star, "").await;
        }
    }
    let remove = "DELETE /repos/ann/vault/collaborators/rae";
    assert_eq!(world.status("ann", remove, "").await, 204);
}

/// All repositories.
pub(crate) fn all() -> Vec<String> {
    let first = ["ann/atlas", "ann/vault", "guild/ledger"].map(str::to_owned);
    let further = (0..FURTHER).map(|number| {
        let owner = ["ann", "stu", "rae"][number % 3];
        format!("{owner}/atoll-{number}")
    });
    let mut all: Vec<String> = first.into_iter().chain(further).collect();
    all.sort();
    all
}

/// The repositories of a list, each as `owner/name`.
fn paths(list: &Value) -> Vec<String> {
    let repositories = list.as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let path = |it: &Value| format!("{}/{}", text(&it["owner"]), text(&it["name"]));
    repositories.map(path).collect()
}

/// Compares the lists with those of another engine, and with requests for single repositories.
pub(crate) async fn assert_lists_agree(world: &World, other: &World) {
    let all = all();
    let mut entries = 0;
    for name in world.people() {
        for list in LISTS {
            let seen = world.ask(name, list, "").await;
            let expected = other.ask(name, list, "").await;
            assert_eq!(seen.status, expected.status, "{name}: {list}");
            assert_eq!(seen.body, expected.body, "{name}: {list}");
        }
        let list = world.ask(name, "GET /user/repos", "").await;
        if list.status != 200 {
            continue;
        }
        let mut single = Vec::new();
        for path in &all {
            let request = format!("GET /repos/{path}");
            if world.status(name, &request, "").await == 200 {
                single.push(path.clone());
            }
        }
        let mut listed = paths(&list.json());
        listed.sort();
        assert_eq!(listed, single, "{name}");
        entries += listed.len();
    }
    assert!(entries > FURTHER, "the lists are not empty: {entries}");
}
