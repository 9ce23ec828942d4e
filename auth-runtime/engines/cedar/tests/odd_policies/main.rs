//! Lists of Cedar against its decisions: every policy of a table, every object of a table.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, also in its helpers"
)]

mod attributes;
mod forms;
mod types;

use auth_runtime::Identity;
use auth_runtime::objects::{
    Condition, DecisionPoint, DecisionPointError, EntitiesFuture, Entity, EntityLoader, EntityUid,
    Evaluation, EvaluationRequest, ObjectDecision, Permitted, Resource, Value,
};
use auth_runtime_cedar::Cedar;

const SCHEMA: &str = r#"
    entity Role;
    entity Org { suspended: Bool, owner: User, name?: String };
    entity Team in [Org];
    entity User in [Role, Team] { acr?: String, scopes: Set<String>, roles: Set<String>, level?: Long };
    entity Robot;
    entity Folder;
    entity Doc in [Folder] {
        owner: User, title: String, size: Long, public: Bool, archived?: Bool, teams: Set<Team>,
        labels?: Set<String>, org?: Org, robot?: Robot, reviewer?: User, id?: String,
        "org.suspended"?: Bool, flags?: Set<Bool>,
    };
    action read, update appliesTo { principal: User, resource: Doc, context: { method: String, ip?: ipaddr, time: Long } };
"#;

/// Two types, each with an action of its own.
const TWO_TYPES: &str = r#"
    entity Role; entity User in [Role]; entity Doc { public: Bool }; entity Other { public: Bool }; entity Service;
    action read appliesTo { principal: User, resource: Doc };
    action only_other appliesTo { principal: User, resource: Other };
    action restart appliesTo { principal: User, resource: Service };
"#;

struct World;

fn user(id: &str) -> Entity {
    Entity::new("User", id.to_owned())
        .with_property("scopes", Vec::<String>::new())
        .with_property("roles", Vec::<String>::new())
}

impl EntityLoader for World {
    fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
        Box::pin(async move {
            let user = |id: &str| Value::Reference("User".into(), id.to_owned());
            Ok(wanted
                .iter()
                .filter_map(|wanted| match (wanted.entity_type(), wanted.id()) {
                    ("User", "ann") => Some(
                        self::user("ann")
                            .with_parent("Team", "core")
                            .with_property("level", 3),
                    ),
                    ("User", id) => Some(self::user(id)),
                    ("Team", "core") => {
                        Some(Entity::new("Team", "core").with_parent("Org", "green"))
                    }
                    ("Org", "green") => Some(
                        Entity::new("Org", "green")
                            .with_property("suspended", false)
                            .with_property("owner", user("ann"))
                            .with_property("name", "Green"),
                    ),
                    ("Org", "red") => Some(
                        Entity::new("Org", "red")
                            .with_property("suspended", true)
                            .with_property("owner", user("bob")),
                    ),
                    _ => None,
                })
                .collect())
        })
    }
}

fn reference(kind: &'static str, id: &str) -> Value {
    Value::Reference(kind.into(), id.to_owned())
}

/// The objects: as questions, and as rows of a database.
fn objects() -> Vec<(Resource, Resource)> {
    let mut all = Vec::new();
    let mut number = 0;
    for owner in ["ann", "bob"] {
        for public in [true, false] {
            for archived in [None, Some(true), Some(false)] {
                for org in [None, Some("green"), Some("red")] {
                    for variant in 0..4 {
                        number += 1;
                        let id = match number % 3 {
                            0 => "secret".to_owned(),
                            1 => "ann".to_owned(),
                            _ => format!("d{number}"),
                        };
                        let teams = match variant {
                            0 => vec![],
                            1 => vec![reference("Team", "core")],
                            _ => vec![reference("Team", "core"), reference("Team", "x")],
                        };
                        let mut question = Resource::new("Doc", id.clone())
                            .with_property("owner", reference("User", owner))
                            .with_property("title", if variant == 0 { "ann" } else { "t" })
                            .with_property("size", i64::from(variant))
                            .with_property("public", public)
                            .with_property("teams", teams);
                        if let Some(archived) = archived {
                            question = question.with_property("archived", archived);
                        }
                        if variant == 1 {
                            question = question
                                .with_property("labels", vec!["a", "b"])
                                .with_property("robot", reference("Robot", "ann"))
                                .with_property("reviewer", reference("User", "bob"))
                                .with_property("flags", vec![true]);
                        }
                        if variant == 2 {
                            question = question
                                .with_property("labels", Vec::<String>::new())
                                .with_property("reviewer", reference("User", "ann"));
                        }
                        let mut row = question.clone().with_property("id", id);
                        if let Some(org) = org {
                            question = question.with_property("org", reference("Org", org));
                            row = row
                                .with_property("org", reference("Org", org))
                                .with_property("org.suspended", org == "red")
                                .with_property(
                                    "org.owner",
                                    reference("User", if org == "red" { "bob" } else { "ann" }),
                                );
                            if org == "green" {
                                row = row.with_property("org.name", "Green");
                            }
                        }
                        all.push((question, row));
                    }
                }
            }
        }
    }
    all
}

fn callers() -> Vec<Identity> {
    vec![
        Identity::new("ann").with_scopes(["docs"]),
        Identity::new("ann").with_acr("gold"),
        Identity::new("bob").with_roles(["admin"]),
        Identity::new("stranger"),
    ]
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

/// Returns whether each object is allowed; its own error where one fails.
fn decisions(
    cedar: &Cedar,
    identity: &Identity,
    action: &'static str,
    objects: Vec<Resource>,
) -> Vec<Result<bool, DecisionPointError>> {
    let questions = objects
        .into_iter()
        .map(|object| Evaluation::new(action, object));
    let questions: Vec<_> = questions.collect();
    let ask = |questions: &[Evaluation]| {
        let decisions = run(cedar.evaluate(EvaluationRequest::new(identity, questions)))?;
        Ok(decisions
            .iter()
            .map(ObjectDecision::is_allowed)
            .collect::<Vec<_>>())
    };
    match ask(&questions) {
        Ok(together) => together.into_iter().map(Ok).collect(),
        Err(_) => questions
            .chunks(1)
            .map(|one| ask(one).map(|decisions| decisions[0]))
            .collect(),
    }
}

/// Compares; returns the first difference, or the text of the error of the list.
fn compare(policy: &str) -> Result<bool, String> {
    let mut is_translated = true;
    let cedar = Cedar::builder()
        .policies(policy)
        .schema(SCHEMA)
        .entities(World)
        .build();
    let cedar = cedar.map_err(|error| format!("INVALID: {error}"))?;
    for (index, identity) in callers().into_iter().enumerate() {
        for action in ["read", "update"] {
            // A part of them for each caller, and all of them for the policy.
            let objects = objects().into_iter().skip(index).step_by(callers().len());
            let request = EvaluationRequest::new(&identity, &[]);
            let permitted = run(cedar.permitted(action, "Doc", request));
            let (questions, rows): (Vec<_>, Vec<_>) = objects.unzip();
            let answers: Vec<_> = rows
                .into_iter()
                .zip(decisions(&cedar, &identity, action, questions))
                .collect();
            match permitted {
                Ok(Permitted::When(condition)) => {
                    for (row, single) in answers
                        .iter()
                        .rev()
                        .chain(&answers)
                        .filter(|(row, single)| {
                            let listed = condition.holds(row) == Some(true);
                            listed && *single != Ok(true)
                        })
                        .chain(&answers)
                    {
                        let listed = condition.holds(row) == Some(true);
                        let allowed = *single == Ok(true);
                        if listed != allowed {
                            return Err(format!(
                                "{}: {action} {}: listed {listed}, single {single:?}, {condition:?}",
                                identity.subject(),
                                row
                            ));
                        }
                    }
                }
                Ok(other) => return Err(format!("{other:?}")),
                // A policy that a database cannot evaluate has no list.
                Err(error) if error.to_string().contains("is not a condition for a list") => {
                    is_translated = false;
                }
                Err(error) => {
                    if answers.iter().all(|(_, single)| single.is_ok()) {
                        return Err(format!(
                            "503 for the list only ({} acr {:?}): {error}",
                            identity.subject(),
                            identity.acr()
                        ));
                    }
                }
            }
        }
    }
    Ok(is_translated)
}

/// Returns the number of policies that have a list.
fn table(policies: &[&str]) -> usize {
    let mut wrong = Vec::new();
    let mut translated = 0;
    for policy in policies {
        match compare(policy) {
            Ok(is_translated) => translated += usize::from(is_translated),
            Err(difference) => wrong.push(format!("{policy}\n    {difference}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        policies.len(),
        wrong.join("\n")
    );
    translated
}
