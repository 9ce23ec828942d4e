//! Lists by the Resource Search API: the scenarios of the specification's certification and of its interop
//! event, and random relations.
//!
//! Their documents are `certification/authorization-api-1_0-scenario.md` and
//! `interop/authzen-search-demo` in the repository of the specification, `openid/authzen`.

use std::collections::BTreeSet;

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, DecisionPointError, Evaluation, EvaluationRequest, Permitted, Resource,
};
use auth_runtime_authzen::AuthZen;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::TIMEOUT;
use crate::strict::{Strict, World, objects_of};

const ALL: usize = usize::MAX;

fn engine(server: &Strict) -> AuthZen {
    AuthZen::builder()
        .url(server.url())
        .search_resources()
        .roles_property("role")
        // 10 000 objects take seconds on a busy machine.
        .timeout(TIMEOUT * 60)
        .build()
        .unwrap()
}

async fn list(
    engine: &AuthZen,
    identity: &Identity,
    action: &str,
    resource_type: &str,
) -> Result<BTreeSet<String>, DecisionPointError> {
    let request = EvaluationRequest::new(identity, &[]);
    let permitted = engine.permitted(action, resource_type, request).await?;
    let Permitted::Ids(ids) = permitted else {
        panic!("{permitted:?}");
    };
    let set: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(set.len(), ids.len(), "each once");
    Ok(set)
}

/// The objects that the engine allows one by one.
async fn items(
    engine: &AuthZen,
    identity: &Identity,
    action: &'static str,
    objects: &[Value],
) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for object in objects {
        let (kind, id) = (
            object["type"].as_str().unwrap(),
            object["id"].as_str().unwrap(),
        );
        let resource = Resource::new(kind.to_owned(), id);
        let evaluations = [Evaluation::new(action, resource)];
        let request = EvaluationRequest::new(identity, &evaluations);
        if engine.evaluate(request).await.unwrap()[0].is_allowed() {
            allowed.insert(id.to_owned());
        }
    }
    allowed
}

/// Users of the interop scenario: id, role, department.
const USERS: [(&str, &str, &str); 6] = [
    ("alice", "manager", "Sales"),
    ("bob", "employee", "Legal"),
    ("carol", "contractor", "Legal"),
    ("dan", "manager", "Finance"),
    ("erin", "employee", "Finance"),
    ("felix", "contractor", "Accounting"),
];

/// Records of the interop scenario, from 101: department, owner.
const RECORDS: [(&str, &str); 20] = [
    ("Legal", "alice"),
    ("Legal", "bob"),
    ("Legal", "carol"),
    ("Accounting", "dan"),
    ("Legal", "erin"),
    ("Accounting", "felix"),
    ("Sales", "alice"),
    ("Legal", "bob"),
    ("Accounting", "carol"),
    ("Sales", "dan"),
    ("Accounting", "erin"),
    ("Legal", "felix"),
    ("Sales", "alice"),
    ("Accounting", "bob"),
    ("Finance", "carol"),
    ("Legal", "dan"),
    ("Legal", "erin"),
    ("Accounting", "felix"),
    ("Legal", "alice"),
    ("Accounting", "bob"),
];

/// The expected results of the interop scenario, as its test harness has them.
const EXPECTED: [(&str, &str, &[u16]); 20] = [
    (
        "alice",
        "view",
        &[
            101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117,
            118, 119, 120,
        ],
    ),
    ("alice", "edit", &[101, 107, 110, 113, 119]),
    ("alice", "delete", &[101, 107, 113, 119]),
    (
        "bob",
        "view",
        &[101, 102, 103, 105, 108, 112, 114, 116, 117, 119, 120],
    ),
    ("bob", "edit", &[102, 108, 114, 120]),
    ("bob", "delete", &[102, 108, 114, 120]),
    (
        "carol",
        "view",
        &[101, 102, 103, 105, 108, 109, 112, 115, 116, 117, 119],
    ),
    ("carol", "edit", &[103, 109, 115]),
    ("carol", "delete", &[103, 109, 115]),
    (
        "dan",
        "view",
        &[
            101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117,
            118, 119, 120,
        ],
    ),
    ("dan", "edit", &[104, 110, 115, 116]),
    ("dan", "delete", &[104, 110, 116]),
    ("erin", "view", &[105, 111, 115, 117]),
    ("erin", "edit", &[105, 111, 117]),
    ("erin", "delete", &[105, 111, 117]),
    ("felix", "view", &[104, 106, 109, 111, 112, 114, 118, 120]),
    ("felix", "edit", &[106, 112, 118]),
    ("felix", "delete", &[106, 112, 118]),
    // "Any other value should lead to a valid empty response."
    ("grace", "view", &[]),
    ("alice", "publish", &[]),
];

/// The policy of the interop scenario.
fn interop(question: &Value) -> bool {
    let subject = USERS
        .iter()
        .find(|user| question["subject"]["id"] == user.0);
    let id: Option<usize> = question["resource"]["id"]
        .as_str()
        .and_then(|id| id.parse().ok());
    let record = id
        .and_then(|id| id.checked_sub(101))
        .and_then(|index| RECORDS.get(index));
    let (Some((user, role, own)), Some((department, owner))) = (subject, record) else {
        return false;
    };
    let is_manager = *role == "manager";
    match question["action"]["name"].as_str() {
        Some("view") => owner == user || department == own || is_manager,
        Some("edit") => owner == user || (department == own && is_manager),
        Some("delete") => owner == user,
        _ => false,
    }
}

fn interop_world(page: usize) -> World {
    World {
        objects: objects_of("record", (101..=120).map(|id| id.to_string())),
        decide: Box::new(interop),
        page,
        repeats: false,
    }
}

#[tokio::test]
async fn interop_scenario_has_the_expected_lists() {
    let server = Strict::start(interop_world(ALL)).await;
    let engine = engine(&server);
    for page in [1, 2, 7, ALL] {
        server.change(interop_world(page));
        for (user, action, expected) in EXPECTED {
            let identity = Identity::new(user);
            let listed = list(&engine, &identity, action, "record").await.unwrap();
            let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
            assert_eq!(listed, expected, "{user} {action}, {page}");
            let asked = server.searches().len();
            assert_eq!(
                asked,
                expected.len().div_ceil(page).max(1),
                "{user} {action}, {page}"
            );
        }
    }
    let world = interop_world(ALL);
    for (user, action, expected) in EXPECTED {
        let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
        let items = items(&engine, &Identity::new(user), action, &world.objects).await;
        assert_eq!(items, expected, "{user} {action}");
    }
}

/// The policy of the certification, whose subject has the roles as a list here.
fn certification(question: &Value) -> bool {
    let action = question["action"]["name"].as_str().unwrap();
    let (subject, resource) = (&question["subject"], &question["resource"]);
    let is_admin = subject["properties"]["role"] == json!(["admin"]);
    let is_archived = resource["properties"]["status"] == "archived";
    match (subject["id"].as_str().unwrap(), action) {
        (_, "write") if is_archived => is_admin,
        ("alice", "read" | "write") | ("bob", "read") => resource["id"] == "record-1",
        _ => false,
    }
}

#[tokio::test]
async fn certification_scenario_has_the_expected_lists() {
    let record = |id: &str, status: &str| json!({ "type": "record", "id": id, "properties": { "status": status } });
    let alice = || Identity::new("alice");
    let admin = || Identity::new("bob").with_roles(["admin"]);
    for page in [1, ALL] {
        let server = Strict::start(World {
            objects: vec![record("record-1", "active"), record("record-2", "archived")],
            decide: Box::new(certification),
            page,
            repeats: false,
        })
        .await;
        let engine = engine(&server);
        for (name, identity, action, resource_type, expected) in [
            ("4.3.1, S2", alice(), "read", "record", &["record-1"][..]),
            ("4.3.1, rule 2", alice(), "write", "record", &["record-1"]),
            ("4.3.4, S5", admin(), "write", "record", &["record-2"]),
            ("rule 4", Identity::new("bob"), "write", "record", &[]),
            (
                "4.6.1",
                Identity::new("nonexistent-user"),
                "read",
                "record",
                &[],
            ),
            ("4.6.2", alice(), "read", "spaceship", &[]),
        ] {
            let listed = list(&engine, &identity, action, resource_type)
                .await
                .unwrap();
            let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
            assert_eq!(listed, expected, "{name}");
            assert_eq!(server.searches().len(), 1, "{name}");
        }
    }
}

/// The bodies are those of the specification (§8.2.3, §8.5.2), with the data of the caller and the request.
#[tokio::test]
async fn requests_differ_by_their_token_only() {
    let server = Strict::start(World {
        objects: objects_of("account", ["123", "456", "789"].map(str::to_owned)),
        decide: Box::new(|_| true),
        page: 2,
        repeats: false,
    })
    .await;
    let identity = Identity::new("alice@example.com").with_roles(["clerk"]);
    let mut request = EvaluationRequest::new(&identity, &[]);
    request.path = "/accounts";
    request.time = std::time::UNIX_EPOCH;
    let permitted = engine(&server)
        .permitted("can_read", "account", request)
        .await;
    let ids = ["123", "456", "789"].map(str::to_owned).to_vec();
    assert_eq!(permitted, Ok(Permitted::Ids(ids)));
    let expected = |page: Value| {
        json!({
            "subject": {
                "type": "user",
                "id": "alice@example.com",
                "properties": { "role": ["clerk"] },
            },
            "action": { "name": "can_read" },
            "resource": { "type": "account" },
            "context": { "method": "GET", "path": "/accounts", "time": "1970-01-01T00:00:00Z" },
            "page": page,
        })
    };
    let searches = server.searches();
    let first = expected(json!({ "limit": 1000 }));
    let second = expected(json!({ "limit": 1000, "token": searches[1]["page"]["token"] }));
    assert_eq!(searches, [first, second]);
}

#[tokio::test]
async fn ten_thousand_objects_are_listed() {
    let ids = || (0..10_000).map(|id| format!("{id:036}"));
    let world = |page| World {
        objects: objects_of("record", ids()),
        decide: Box::new(|_| true),
        page,
        repeats: true,
    };
    let server = Strict::start(world(ALL)).await;
    let engine = engine(&server);
    let listed = list(&engine, &Identity::new("ann"), "read", "record").await;
    assert_eq!(listed, Ok(ids().collect()));
    // By the limit of the requests.
    assert_eq!(server.searches().len(), 10);
    let mut more = world(ALL);
    more.objects
        .extend(objects_of("record", ["more".to_owned()]));
    server.change(more);
    for _ in 0..6 {
        let error = list(&engine, &Identity::new("ann"), "read", "record").await;
        let error = error.unwrap_err().to_string();
        assert_eq!(error, "the list has more than 10000 objects");
    }
    // The server works: a long list of one caller concerns no other.
    let listed = list(&engine, &Identity::new("ann"), "read", "other").await;
    assert_eq!(listed, Ok(BTreeSet::new()));
}

/// Subjects and actions that may be performed on objects, by their index.
type Relations = BTreeSet<(usize, usize, usize)>;

fn relations() -> impl Strategy<Value = Relations> {
    btree_set((0..3_usize, 0..2_usize, 0..12_usize), 0..40)
}

const SUBJECTS: [&str; 3] = ["ann", "bob", "eve"];
const ACTIONS: [&str; 2] = ["read", "update"];

/// Ids that JSON, URLs and tokens could change.
fn id(index: usize) -> String {
    let odd = ["", "\"", "ä/ö", "a b", "%2F", "\\u0000", "😀", "null"];
    format!("{}{index}", odd[index % odd.len()])
}

#[test]
fn random_lists_agree_with_decisions() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let empty = || World {
        objects: Vec::new(),
        decide: Box::new(|_| false),
        page: ALL,
        repeats: false,
    };
    let server = runtime.block_on(Strict::start(empty()));
    let engine = engine(&server);
    let cases = (relations(), vec(any::<bool>(), 12), any::<bool>());
    proptest!(ProptestConfig::with_cases(48), |((relations, kinds, repeats) in cases)| {
        let objects: Vec<Value> = kinds
            .iter()
            .enumerate()
            .map(|(index, is_record)| {
                let kind = if *is_record { "record" } else { "folder" };
                json!({ "type": kind, "id": id(index) })
            })
            .collect();
        for page in [1, 2, 7, ALL] {
            let relations = relations.clone();
            let decide = move |question: &Value| {
                relations.iter().any(|(subject, action, object)| {
                    question["subject"]["id"] == SUBJECTS[*subject]
                        && question["action"]["name"] == ACTIONS[*action]
                        && question["resource"]["id"] == id(*object)
                })
            };
            let objects = objects.clone();
            server.change(World { objects, decide: Box::new(decide), page, repeats });
            for subject in SUBJECTS {
                let identity = Identity::new(subject);
                for action in ACTIONS {
                    let listed = list(&engine, &identity, action, "record");
                    let listed = runtime.block_on(listed).unwrap();
                    let records = objects_of_type(&kinds);
                    let items = items(&engine, &identity, action, &records);
                    prop_assert_eq!(listed, runtime.block_on(items));
                }
            }
            server.searches();
        }
    });
}

fn objects_of_type(kinds: &[bool]) -> Vec<Value> {
    let records = kinds
        .iter()
        .enumerate()
        .filter(|(_, is_record)| **is_record);
    objects_of("record", records.map(|(index, _)| id(index)))
}
