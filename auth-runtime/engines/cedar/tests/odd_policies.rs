//! Lists of Cedar against its decisions: every policy of a table, every object of a table.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, also in its helpers"
)]

use auth_runtime::Identity;
use auth_runtime::objects::{
    Condition, DecisionPoint, DecisionPointError, EntitiesFuture, Entity, EntityLoader, Evaluation,
    EvaluationRequest, Permitted, Resource, Value, Wanted,
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
    fn load<'r>(&'r self, wanted: &'r [Wanted]) -> EntitiesFuture<'r> {
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
            .map(|decision| decision.is_allowed())
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

/// Policies that the list translates.
#[test]
fn lists_agree() {
    let translated = table(&[
        "permit(principal, action, resource);",
        "permit(principal, action, resource) when { resource.owner == principal };",
        "permit(principal, action, resource) when { principal == resource.owner };",
        "permit(principal, action, resource) when { User::\"ann\" == resource.owner };",
        "permit(principal, action, resource) when { \"ann\" == resource.title };",
        "permit(principal, action, resource) when { \"ann\" != resource.title };",
        "permit(principal, action, resource) when { 2 == resource.size };",
        "permit(principal, action, resource) when { true == resource.public };",
        "permit(principal, action, resource) when { false == resource.public };",
        "permit(principal, action, resource) when { resource.public != true };",
        "permit(principal, action, resource) unless { resource.public };",
        "permit(principal, action, resource) unless { !resource.public };",
        "permit(principal, action, resource) when { !(!(!resource.public)) };",
        "permit(principal, action, resource) when { resource has archived };",
        "permit(principal, action, resource) unless { resource has archived };",
        "permit(principal, action, resource) unless { resource has archived && resource.archived };",
        "permit(principal, action, resource) when { if resource has archived then resource.archived else resource.public };",
        "permit(principal, action, resource) when { if resource has archived then !resource.archived else true };",
        "permit(principal, action, resource) when { if resource.public then true else resource.owner == principal };",
        "permit(principal, action, resource) when { if principal in Role::\"admin\" then true else resource.public };",
        "permit(principal, action, resource) when { (if resource.public then resource.owner == principal else false) || resource.size == 3 };",
        "permit(principal, action, resource) when { if (if resource has archived then resource.archived else false) then resource.public else resource.size == 1 };",
        "permit(principal, action, resource) when { resource.teams.contains(Team::\"core\") };",
        "permit(principal, action, resource) when { principal in resource.teams };",
        "permit(principal, action, resource) unless { principal in resource.teams };",
        "permit(principal, action, resource) when { resource has org && principal in resource.org };",
        "permit(principal, action, resource) when { resource has org && resource.org.suspended };",
        "permit(principal, action, resource) unless { resource has org && resource.org.suspended };",
        "permit(principal, action, resource) when { resource has org && resource.org.owner == principal };",
        "permit(principal, action, resource) when { resource has org && principal in resource.org.owner };",
        "permit(principal, action, resource) when { resource has labels && resource.labels.contains(\"a\") };",
        "permit(principal, action, resource) unless { resource has labels && resource.labels.contains(\"a\") };",
        "permit(principal, action, resource) when { resource has labels && !resource.labels.contains(\"a\") };",
        "permit(principal, action, resource) when { resource has reviewer && [User::\"ann\", principal].contains(resource.reviewer) };",
        "permit(principal, action, resource) when { [\"t\", \"ann\"].contains(resource.title) };",
        "permit(principal, action, resource) when { resource == Doc::\"secret\" };",
        "permit(principal, action, resource) when { resource != Doc::\"secret\" };",
        "permit(principal, action, resource) when { Doc::\"secret\" == resource };",
        "permit(principal, action, resource == Doc::\"secret\");",
        "permit(principal, action, resource is Doc);",
        "permit(principal, action, resource is Doc) when { [Doc::\"secret\", Doc::\"ann\"].contains(resource) };",
        "permit(principal, action, resource) when { resource is Doc };",
        "permit(principal, action, resource) when { resource has robot && resource.robot == Robot::\"ann\" };",
        "permit(principal in Role::\"admin\", action, resource); permit(principal, action == Action::\"read\", resource) when { resource.public };",
        "permit(principal is User, action, resource); forbid(principal, action, resource) when { resource.owner == User::\"bob\" };",
        "permit(principal is User in Team::\"core\", action, resource);",
        "permit(principal == User::\"ann\", action in [Action::\"read\"], resource);",
        "permit(principal, action, resource); forbid(principal, action, resource) unless { resource.public };",
        "permit(principal, action, resource); forbid(principal, action, resource) unless { resource has archived };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource has archived && resource.archived };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource has org && resource.org.suspended } unless { principal in Role::\"admin\" };",
        "permit(principal, action, resource); forbid(principal, action, resource) unless { resource has reviewer && resource.reviewer == principal };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource == Doc::\"secret\" };",
        "permit(principal, action, resource); forbid(principal, action, resource == Doc::\"secret\") unless { resource.public };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { !(resource has org) };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { if resource has org then resource.org.suspended else resource.public };",
        "permit(principal, action, resource) when { context.method == \"GET\" && resource.public };",
        "permit(principal, action, resource) when { action == Action::\"read\" && resource.public };",
        "permit(principal, action, resource) when { resource.public } when { resource.owner == principal } unless { resource.size == 2 };",
        "permit(principal, action, resource) when { principal.scopes.contains(\"docs\") || resource.public };",
        "permit(principal, action, resource) when { principal has acr && principal.acr == \"gold\" };",
        "permit(principal, action, resource) when { principal has level && principal.level > 2 };",
        "forbid(principal, action, resource);",
        "permit(principal, action, resource) when { resource has owner };",
        "permit(principal, action, resource) when { resource has owner && resource.owner == principal && resource.title == \"ann\" };",
        "permit(principal, action, resource) when { resource[\"title\"] == \"ann\" };",
    ]);
    assert_eq!(translated, 66);
}

/// `(resource has name)` as a value is read as the value of the attribute.
#[test]
fn has_as_an_operand() {
    let translated = table(&[
        "permit(principal, action, resource) when { (resource has archived) == true };",
        "permit(principal, action, resource) when { (resource has archived) == false };",
        "permit(principal, action, resource) when { (resource has archived) != true };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { (resource has archived) == true };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { (resource has org) == true };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { true == (resource has reviewer) };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { [true].contains(resource has labels) };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource has org && (resource.org has name) == true };",
    ]);
    assert_eq!(translated, 0);
}

/// A record with the key `Value` hides the object.
#[test]
fn a_record_with_the_key_value() {
    let translated = table(&[
        "permit(principal, action, resource); forbid(principal, action, resource) when { {Value: resource}.Value == Doc::\"secret\" };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { {Value: resource has archived}.Value };",
        "permit(principal, action, resource) when { {Value: !(resource has archived)}.Value };",
        "permit(principal, action, resource) when { {Value: resource != Doc::\"secret\"}.Value };",
        "permit(principal, action, resource) when { {Value: resource.public}.Value };",
    ]);
    assert_eq!(translated, 0);
}

/// Cedar evaluates the right side only if the left one does not decide.
#[test]
fn parts_that_cedar_does_not_evaluate() {
    let translated = table(&[
        "permit(principal, action, resource) when { principal has acr && resource.public && principal.acr == \"gold\" };",
        "permit(principal, action, resource) when { principal has acr && (principal.acr == \"gold\" && resource.public) };",
        "permit(principal, action, resource) when { principal has acr && principal.acr == \"gold\" && resource.public };",
        "permit(principal, action, resource) when { principal has acr } when { principal.acr == \"gold\" || resource.public };",
        "permit(principal, action, resource) when { if principal has acr then (principal.acr == \"gold\" && resource.public) else resource.owner == principal };",
        "permit(principal, action, resource) when { context has ip && (context.ip.isLoopback() || resource.public) };",
        "permit(principal, action, resource) when { principal has level && (principal.level > 2 || resource.public) };",
        "permit(principal, action, resource) when { false && resource.title like \"a*\" };",
        "permit(principal, action, resource) when { principal in Role::\"admin\" && resource.size < 5 };",
    ]);
    assert_eq!(translated, 8);
}

/// Attributes with the names that conditions use for something else.
#[test]
fn attributes_named_as_the_id_or_a_nested_attribute() {
    let identity = Identity::new("ann");
    // The attribute `id` of the object is not its id.
    let question = Resource::new("Doc", "d1")
        .with_property("owner", reference("User", "bob"))
        .with_property("title", "t")
        .with_property("size", 1)
        .with_property("public", false)
        .with_property("teams", Vec::<Value>::new())
        .with_property("id", "secret");
    let mut wrong = Vec::new();
    for (policy, row) in [
        // The property `id` is the id of the object, and not the attribute.
        (
            "permit(principal, action, resource) when { resource has id && resource.id == \"secret\" };",
            question.clone().with_property("id", "d1"),
        ),
        (
            "permit(principal, action, resource); forbid(principal, action, resource) when { resource has id && resource.id == \"secret\" };",
            question.clone().with_property("id", "d1"),
        ),
        (
            "permit(principal, action, resource); forbid(principal, action, resource) when { resource has \"org.suspended\" && resource[\"org.suspended\"] };",
            question
                .clone()
                .with_property("org", reference("Org", "green"))
                .with_property("org.suspended", false),
        ),
    ] {
        let cedar = Cedar::builder()
            .policies(policy)
            .schema(SCHEMA)
            .entities(World)
            .build()
            .expect(policy);
        let mut asked = question.clone();
        if policy.contains("org.suspended") {
            asked = asked
                .with_property("org", reference("Org", "green"))
                .with_property("org.suspended", true);
        }
        let evaluations = [Evaluation::new("read", asked)];
        let single = run(cedar.evaluate(EvaluationRequest::new(&identity, &evaluations)))
            .map(|it| it[0].is_allowed());
        let permitted = run(cedar.permitted("read", "Doc", EvaluationRequest::new(&identity, &[])));
        match permitted {
            Ok(Permitted::When(condition)) => {
                let listed = condition.holds(&row);
                if listed != single.clone().ok() {
                    wrong.push(format!(
                        "{policy}: listed {listed:?}, single {single:?}: {condition:?}"
                    ));
                }
            }
            other => println!("{policy}: {other:?}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An action that does not apply to a type: a single decision fails, and a list has everything.
#[test]
fn a_list_of_a_type_that_the_action_does_not_apply_to() {
    let identity = Identity::new("stranger");
    let cedar = Cedar::builder()
        .policies("permit(principal, action, resource);")
        .schema(TWO_TYPES)
        .build()
        .unwrap();
    let mut wrong = 0;
    for (action, kind) in [
        ("read", "Other"),
        ("only_other", "Doc"),
        ("restart", "Doc"),
        ("read", "User"),
        ("read", "Service"),
        ("read", "Role"),
    ] {
        let evaluations = [Evaluation::new(
            action,
            Resource::new(kind, "x").with_property("public", true),
        )];
        let single = run(cedar.evaluate(EvaluationRequest::new(&identity, &evaluations)));
        let permitted = run(cedar.permitted(action, kind, EvaluationRequest::new(&identity, &[])));
        println!("{action} {kind}: {single:?} {permitted:?}");
        if permitted.clone().ok() == Some(Permitted::When(Condition::All(vec![])))
            && single.is_err()
        {
            wrong += 1;
        }
    }
    assert_eq!(wrong, 0);
}

/// The service has another name in lists than in decisions, below a namespace.
#[test]
fn the_service_in_a_namespace() {
    let schema = "namespace App { entity User; entity Service { open: Bool }; action restart appliesTo { principal: User, resource: Service }; }";
    let cedar = Cedar::builder()
        .subject_type("App::User")
        .policies("permit(principal, action, resource) when { resource.open };")
        .schema(schema)
        .build()
        .unwrap();
    let identity = Identity::new("ann");
    let evaluations = [Evaluation::new(
        "restart",
        Resource::new("Service", "api").with_property("open", true),
    )];
    let single = run(cedar.evaluate(EvaluationRequest::new(&identity, &evaluations)));
    assert!(single.is_ok(), "{single:?}");
    let permitted =
        run(cedar.permitted("restart", "Service", EvaluationRequest::new(&identity, &[])));
    assert!(permitted.is_ok(), "{permitted:?}");
}

/// The same policies below a namespace.
#[test]
fn lists_agree_below_a_namespace() {
    let schema = r#"namespace App {
        type Names = Set<String>;
        entity Doc in [Doc] { owner: User, team?: Team, role?: Role, tags: Names, kind: Kind, more?: Set<Role> };
        entity Role; entity Team; entity User in [Role, Team] { scopes?: Names }; entity Kind enum ["a", "b"];
        action all; action see in [all]; action read in [see] appliesTo { principal: User, resource: [Doc, User] };
        action update in [all] appliesTo { principal: User, resource: Doc };
    }"#;
    struct Loader;
    impl EntityLoader for Loader {
        fn load<'r>(&'r self, wanted: &'r [Wanted]) -> EntitiesFuture<'r> {
            Box::pin(async move {
                Ok(wanted
                    .iter()
                    .filter(|wanted| wanted.entity_type() == "App::User")
                    .map(|wanted| {
                        Entity::new("App::User", wanted.id()).with_parent("App::Team", "core")
                    })
                    .collect())
            })
        }
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for policy in [
        "permit(principal, action in App::Action::\"see\", resource is App::Doc);",
        "permit(principal, action in App::Action::\"all\", resource is App::Doc) when { resource.owner == principal };",
        "permit(principal, action in [App::Action::\"see\", App::Action::\"update\"], resource is App::Doc) when { action in App::Action::\"see\" || resource.owner == principal };",
        "permit(principal in App::Role::\"admin\", action, resource is App::Doc);",
        "permit(principal is App::User in App::Role::\"admin\", action, resource is App::Doc);",
        "permit(principal, action, resource is App::Doc) when { resource has role && principal in resource.role };",
        "permit(principal, action, resource is App::Doc) when { resource has more && principal in resource.more };",
        "permit(principal, action, resource is App::Doc) when { resource has team && principal in resource.team };",
        "permit(principal, action, resource is App::Doc) unless { resource has team && principal in resource.team };",
        "permit(principal, action, resource is App::Doc) when { resource.kind == App::Kind::\"a\" };",
        "permit(principal, action, resource is App::Doc) when { resource.tags.contains(\"x\") };",
        "permit(principal, action, resource is App::Doc) when { resource == App::Doc::\"d1\" };",
        "permit(principal, action, resource is App::Doc) when { resource.owner == App::User::\"bob\" };",
        "permit(principal, action, resource) when { resource is App::Doc && resource.owner == principal };",
        "permit(principal, action, resource) when { resource is App::User || resource.owner == principal };",
        "permit(principal, action == App::Action::\"read\", resource is App::User) when { resource == principal };",
        "permit(principal, action, resource) when { if resource is App::Doc then resource.owner == principal else resource == principal };",
    ] {
        let cedar = Cedar::builder()
            .subject_type("App::User")
            .policies(policy)
            .schema(schema)
            .entities(Loader)
            .build();
        let cedar = match cedar {
            Ok(cedar) => cedar,
            Err(error) => {
                println!("INVALID {policy}: {error}");
                continue;
            }
        };
        for identity in [
            Identity::new("ann"),
            Identity::new("bob").with_roles(["admin"]),
        ] {
            for (action, kind) in [
                ("read", "App::Doc"),
                ("update", "App::Doc"),
                ("read", "App::User"),
            ] {
                let permitted =
                    run(cedar.permitted(action, kind, EvaluationRequest::new(&identity, &[])));
                for number in 0..16 {
                    let id = ["d1", "ann", "bob"][number % 3];
                    let mut question = Resource::new(kind, id);
                    if kind == "App::Doc" {
                        question = question
                            .with_property(
                                "owner",
                                reference("App::User", ["ann", "bob"][number % 2]),
                            )
                            .with_property("tags", if number % 4 == 0 { vec!["x"] } else { vec![] })
                            .with_property(
                                "kind",
                                reference("App::Kind", ["a", "b"][number / 2 % 2]),
                            );
                        if number / 4 % 2 == 0 {
                            question = question
                                .with_property(
                                    "team",
                                    reference("App::Team", ["core", "other"][number % 2]),
                                )
                                .with_property("role", reference("App::Role", "admin"))
                                .with_property(
                                    "more",
                                    vec![
                                        reference("App::Role", "admin"),
                                        reference("App::Role", "x"),
                                    ],
                                );
                        }
                    }
                    let row = question.clone().with_property("id", id);
                    let evaluations = [Evaluation::new(action, question)];
                    let single =
                        run(cedar.evaluate(EvaluationRequest::new(&identity, &evaluations)))
                            .map(|it| it[0].is_allowed());
                    count += 1;
                    match &permitted {
                        Ok(Permitted::When(condition)) => {
                            if (condition.holds(&row) == Some(true)) != (single == Ok(true)) {
                                wrong.push(format!(
                                    "{policy}: {action} {row} {}: {condition:?} {single:?}",
                                    identity.subject()
                                ));
                                break;
                            }
                        }
                        other => {
                            wrong.push(format!("{policy}: {other:?} {single:?}"));
                            break;
                        }
                    }
                }
            }
        }
    }
    println!("{count} compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Further forms: literals, equal ids of other types, policies that mention the object twice.
#[test]
fn lists_agree_in_odd_forms() {
    let translated = table(&[
        "permit(principal, action, resource) when { resource has robot && resource.robot == principal };",
        "permit(principal, action, resource) when { resource.size == -1 };",
        "permit(principal, action, resource) when { resource.size != -1 };",
        "permit(principal, action, resource) when { resource.title == \"\\u{0}é\\\"\" };",
        "permit(principal, action, resource) when { resource has flags && resource.flags.contains(true) };",
        "permit(principal, action, resource) unless { resource has flags && resource.flags.contains(true) };",
        "permit(principal, action, resource) when { resource has org && !resource.org.suspended };",
        "permit(principal, action, resource) when { resource has org && resource.org.suspended == false };",
        "permit(principal, action, resource) when { resource has org && !(principal in resource.org) };",
        "permit(principal, action, resource) when { resource has reviewer && principal in resource.reviewer };",
        "permit(principal, action, resource) when { !(principal in resource.teams) && resource.public };",
        "permit(principal, action, resource) when { (if principal has acr then true else false) && resource.public };",
        "permit(principal, action, resource) when { if principal has acr then resource.public else !resource.public };",
        "permit(principal, action, resource) when { (resource.public || resource.size == 1) && (resource.public || resource.size == 2) };",
        "permit(principal, action, resource) when { resource.public } unless { resource has archived && resource.archived } unless { resource has org && resource.org.suspended };",
        "permit(principal, action, resource); forbid(principal, action, resource) unless { if resource has archived then resource.archived else resource.public };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { resource has labels } unless { resource.labels.contains(\"a\") };",
        "permit(principal, action, resource) when { [\"x\", \"t\"].contains(resource.title) && [1, 2].contains(resource.size) };",
        "permit(principal, action, resource) unless { [1, 2].contains(resource.size) };",
        "permit(principal, action, resource) when { (resource == Doc::\"secret\") == true };",
        "permit(principal, action, resource) when { (resource.size == 1) == true };",
        "permit(principal, action, resource) when { (resource is Doc) == true };",
        "permit(principal, action, resource) when { !(resource.public && resource.public == false) };",
        "@id(\"x\") permit(principal, action, resource) when { resource.owner == User::\"ann\" || resource.owner == principal };",
        "permit(principal, action, resource) when { {a: true, b: principal}.b == resource.owner };",
        "permit(principal, action, resource) when { resource has org.name };",
        "permit(principal, action, resource) when { resource has org && resource.org has name && resource.org.name == \"Green\" };",
    ]);
    assert_eq!(translated, 21);
}
