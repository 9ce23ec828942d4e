//! Lists of the objects that a caller may act on.

use auth_runtime::objects::{Condition, Permitted, PermittedFuture, SqlColumns, Value};
use auth_runtime::routing::get;
use auth_runtime::{Denied, Guard, requires};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::ToSqlOutput;

use super::*;

/// Owners may do everything with their objects, and everybody may read public ones.
struct ByCondition;

impl DecisionPoint for ByCondition {
    fn name(&self) -> &'static str {
        "by condition"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let subject = request.identity.subject();
        let decisions = request.evaluations.iter().map(|evaluation| {
            let condition = condition(subject, &evaluation.action);
            ObjectDecision::from(condition.holds(&evaluation.resource) == Some(true))
        });
        let decisions = decisions.collect();
        Box::pin(async move { Ok(decisions) })
    }

    fn permitted<'r>(
        &'r self,
        action: &'r str,
        resource_type: &'r str,
        request: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        Box::pin(async move {
            Ok(match resource_type {
                "Repository" => Permitted::When(condition(request.identity.subject(), action)),
                "Most" => Permitted::Ids((0..10_000).map(|id| id.to_string()).collect()),
                "Many" => Permitted::Ids((0..10_001).map(|id| id.to_string()).collect()),
                "Broken" => return Err(DecisionPointError::new("down")),
                _ => Permitted::Ids(vec!["only".to_owned()]),
            })
        })
    }
}

fn condition(subject: &str, action: &str) -> Condition {
    let own = Condition::equal("owner", subject);
    match action {
        "read" => Condition::any([own, Condition::equal("is_public", true)]),
        _ => own,
    }
}

/// The candidates of a list whose engine needs none.
async fn none() -> Result<Vec<Resource>, Denied> {
    unreachable!("the engine names the objects")
}

#[requires(authenticated)]
async fn list(guard: Guard) -> Result<String, Denied> {
    let columns = SqlColumns::new()
        .column("owner", "repositories.owner")
        .column("is_public", "repositories.is_public");
    let condition = guard.permitted(READ, "Repository", none()).await?;
    let sql = condition
        .to_sql(&columns)
        .expect("each property has a column");
    Ok(format!("{} {:?}", sql.text(), sql.parameters()))
}

#[requires(authenticated)]
async fn of_another_type(
    guard: Guard,
    axum::extract::Path(kind): axum::extract::Path<String>,
) -> Result<String, Denied> {
    let condition = guard.permitted(READ, &kind, none()).await?;
    Ok(format!("{condition:?}"))
}

#[tokio::test]
async fn engine_gives_condition_or_ids() {
    let space = space_builder()
        .decision_point(ByCondition)
        .build()
        .expect("a space");
    let routes = GuardedRouter::new().route("/list", get(list));
    let routes = routes.route("/list/{kind}", get(of_another_type));
    let app = routes.protect(space).expect("routes");
    assert_eq!(
        body(send(&app, by("ann", "/list")).await).await,
        r#"((repositories.owner) = ? OR (repositories.is_public) = ?) [Text("ann"), Flag(true)]"#
    );
    assert_eq!(
        body(send(&app, by("ann", "/list/Other")).await).await,
        r#"OneOf("id", [Text("only")])"#
    );
    assert_eq!(status(&app, by("ann", "/list/Broken")).await, 503);
    assert_eq!(status(&app, by("ann", "/list/Most")).await, 200);
    assert_eq!(
        status(&app, by("ann", "/list/Many")).await,
        503,
        "too many ids"
    );
}

/// `own` objects of ann and others of bob.
async fn candidates((own, others): (usize, usize)) -> Result<Vec<Resource>, Denied> {
    let of = |owner: &'static str, count| {
        (0..count).map(move |number| Resource::new("Repository", format!("{owner}/{number}")))
    };
    Ok(of("ann", own).chain(of("bob", others)).collect())
}

#[requires(authenticated)]
async fn of_candidates(
    guard: Guard,
    axum::extract::Path(counts): axum::extract::Path<(usize, usize)>,
) -> Result<String, Denied> {
    let condition = guard.permitted(READ, "Repository", candidates(counts));
    let Condition::OneOf(name, ids) = condition.await? else {
        unreachable!("the engine decides about single objects")
    };
    let last = ids.last().map_or(String::new(), |id| format!("{id:?}"));
    Ok(format!("{name} {} {last}", ids.len()))
}

fn of_single_objects(engine: &Engine) -> ProtectedRouter {
    let routes = GuardedRouter::new().route("/list/{own}/{others}", get(of_candidates));
    protect(routes, engine)
}

/// The engine of the tests decides about single objects. No more than 10 000 are one call, and one list.
#[tokio::test]
async fn engine_without_lists_decides_each_candidate() {
    for (counts, expected, calls) in [
        ("0/0", "id 0 ", vec![]),
        ("3/2", r#"id 3 Text("ann/2")"#, vec![5]),
        ("0/7", "id 0 ", vec![7]),
        ("10000/0", r#"id 10000 Text("ann/9999")"#, vec![10_000]),
        ("1/10000", r#"id 1 Text("ann/0")"#, vec![10_000, 1]),
        (
            "10000/10001",
            r#"id 10000 Text("ann/9999")"#,
            vec![10_000, 10_000, 1],
        ),
    ] {
        let engine = Engine::default();
        let app = of_single_objects(&engine);
        let response = send(&app, by("ann", &format!("/list/{counts}"))).await;
        assert_eq!(body(response).await, expected, "{counts}");
        let seen: Vec<usize> = engine.calls().iter().map(Vec::len).collect();
        assert_eq!(seen, calls, "{counts}");
    }
    let app = of_single_objects(&Engine::default());
    assert_eq!(status(&app, by("ann", "/list/10001/0")).await, 500);
}

/// The decisions of the second call are about its own candidates.
#[tokio::test]
async fn each_candidate_has_its_own_decision() {
    #[requires(authenticated)]
    async fn own_ones_last(guard: Guard) -> Result<String, Denied> {
        let candidates = async {
            let mut candidates = candidates((2, 9_999)).await?;
            candidates.rotate_left(2);
            Ok(candidates)
        };
        let condition = guard.permitted(READ, "Repository", candidates);
        Ok(format!("{:?}", condition.await?))
    }
    let engine = Engine::default();
    let app = protect(GuardedRouter::new().route("/", get(own_ones_last)), &engine);
    assert_eq!(
        body(send(&app, by("ann", "/")).await).await,
        r#"OneOf("id", [Text("ann/0"), Text("ann/1")])"#
    );
    let calls: Vec<usize> = engine.calls().iter().map(Vec::len).collect();
    assert_eq!(calls, [10_000, 1]);
}

#[tokio::test]
async fn failing_engine_without_lists_lists_nothing() {
    let engine = Engine::failing(DecisionPointError::new("down"));
    let app = of_single_objects(&engine);
    assert_eq!(status(&app, by("ann", "/list/1/1")).await, 503);
}

#[requires(authenticated)]
async fn of_gists(guard: Guard) -> Result<String, Denied> {
    let condition = guard.permitted(READ, "Gist", candidates((1, 0))).await?;
    Ok(format!("{condition:?}"))
}

/// An id of another type is that of another object.
#[tokio::test]
async fn candidates_have_type_of_list() {
    #[requires(authenticated)]
    async fn of_both(guard: Guard) -> Result<(), Denied> {
        let candidates = ["Repository", "Gist"].map(|kind| Resource::new(kind, "ann/x"));
        let candidates = std::future::ready(Ok::<_, Denied>(candidates.to_vec()));
        guard.permitted(READ, "Repository", candidates).await?;
        Ok(())
    }

    let engine = Engine::default();
    let routes = GuardedRouter::new().route("/gists", get(of_gists));
    let app = protect(routes.route("/both", get(of_both)), &engine);
    for path in ["/gists", "/both"] {
        assert_eq!(status(&app, by("ann", path)).await, 500, "{path}");
    }
    assert!(engine.calls().is_empty());
}

#[tokio::test]
async fn candidates_are_bounded() {
    let engine = Engine::default();
    let app = of_single_objects(&engine);
    assert_eq!(status(&app, by("ann", "/list/0/100001")).await, 500);
    assert!(engine.calls().is_empty());
    assert_eq!(status(&app, by("ann", "/list/0/100000")).await, 200);
    assert_eq!(engine.calls().len(), 10);
}

/// The error of the candidates is that of the handler.
#[tokio::test]
async fn candidates_can_fail() {
    #[derive(Debug)]
    enum Failure {
        Denied(Denied),
        Database,
    }

    impl From<Denied> for Failure {
        fn from(denied: Denied) -> Self {
            Self::Denied(denied)
        }
    }

    impl axum::response::IntoResponse for Failure {
        fn into_response(self) -> Response {
            match self {
                Self::Denied(denied) => denied.into_response(),
                Self::Database => StatusCode::BAD_GATEWAY.into_response(),
            }
        }
    }

    #[requires(authenticated)]
    async fn broken(guard: Guard) -> Result<(), Failure> {
        let candidates = async { Err::<Vec<Resource>, _>(Failure::Database) };
        guard.permitted(READ, "Repository", candidates).await?;
        Ok(())
    }

    let engine = Engine::default();
    let app = protect(GuardedRouter::new().route("/", get(broken)), &engine);
    assert_eq!(status(&app, by("ann", "/")).await, 502);
    assert!(engine.calls().is_empty());
}

#[test]
fn property_without_column_is_named() {
    let columns = SqlColumns::new()
        .column("owner", "owner")
        .members("teams", "team = ?");
    for (condition, property) in [
        (Condition::equal("size", 5), "size"),
        (Condition::not(Condition::contains("owner", "ann")), "owner"),
        (Condition::all([Condition::equal("teams", "a")]), "teams"),
        (Condition::exists("teams"), "teams"),
        (Condition::one_of("id", ["a"]), "id"),
        (Condition::one_of("teams", Vec::<Value>::new()), "teams"),
        (
            Condition::equal("with_placeholder", "a"),
            "with_placeholder",
        ),
        (Condition::contains("without", "a"), "without"),
        (Condition::contains("with_two", "a"), "with_two"),
    ] {
        let error = condition.to_sql(&columns).expect_err("no column");
        assert_eq!(error.property(), property);
        assert_eq!(
            error.to_string(),
            format!("the property `{property}` has no SQL column of its kind")
        );
    }
}

fn parameter(value: &Value) -> ToSqlOutput<'_> {
    match value {
        Value::Text(text) => ToSqlOutput::from(text.as_str()),
        Value::Number(number) => ToSqlOutput::from(*number),
        Value::Flag(flag) => ToSqlOutput::from(*flag),
        other => unreachable!("{other:?} is not in these conditions"),
    }
}

/// Texts of the service are operands, whatever operators they contain.
#[test]
fn expressions_of_columns_are_one_operand() {
    let columns = SqlColumns::new()
        .column("is_open", "status = 'public' OR owner = 'carl'")
        .members("people", "owner = ? OR deputy = 'ann'");
    let condition = Condition::all([
        Condition::equal("is_open", false),
        Condition::contains("people", "ann"),
    ]);
    let sql = condition
        .to_sql(&columns)
        .expect("each property has a column");
    assert_eq!(
        sql.text(),
        "((status = 'public' OR owner = 'carl') = ? AND (owner = ? OR deputy = 'ann'))"
    );
    // A list that some objects lack has both.
    let columns = columns.column("people", "people");
    assert!(Condition::exists("people").to_sql(&columns).is_ok());
}

/// An object: its owner, if it has one, whether it is public, its size, and its members.
type Row = (Option<&'static str>, bool, i64, Vec<&'static str>);

const NAMES: [&str; 3] = ["ann", "o'brien", "\" OR 1=1 --"];

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let name = || prop::sample::select(&NAMES[..]);
    let members = prop::collection::btree_set(name(), 0..3);
    let members = members.prop_map(|members| members.into_iter().collect());
    let owner = prop::option::of(name());
    prop::collection::vec((owner, any::<bool>(), 0..3_i64, members), 0..12)
}

fn conditions() -> impl Strategy<Value = Condition> {
    let name = || prop::sample::select(&NAMES[..]);
    let leaf = prop_oneof![
        name().prop_map(|name| Condition::equal("owner", name)),
        Just(Condition::exists("owner")),
        prop::collection::vec(name(), 0..3).prop_map(|names| Condition::one_of("owner", names)),
        any::<bool>().prop_map(|flag| Condition::equal("is_public", flag)),
        (0..3_i64).prop_map(|size| Condition::equal("size", size)),
        name().prop_map(|name| Condition::contains("members", name)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            list().prop_map(Condition::All),
            list().prop_map(Condition::Any),
            inner.clone().prop_map(Condition::not),
        ]
    })
}

fn object(id: i64, (owner, is_public, size, members): &Row) -> Resource {
    let object = Resource::new("Repository", id.to_string())
        .with_property("is_public", *is_public)
        .with_property("size", *size)
        .with_property("members", members.clone());
    match owner {
        Some(owner) => object.with_property("owner", *owner),
        None => object,
    }
}

/// Returns the ids of the rows that SQLite selects.
fn selected(rows: &[Row], condition: &Condition) -> Vec<i64> {
    let database = Connection::open_in_memory().expect("a database");
    let tables = "CREATE TABLE objects (id INTEGER, owner TEXT, is_public INTEGER, size INTEGER);
                  CREATE TABLE members (object INTEGER, name TEXT)";
    database.execute_batch(tables).expect("tables");
    for (id, (owner, is_public, size, members)) in (0_i64..).zip(rows) {
        let insert = "INSERT INTO objects VALUES (?, ?, ?, ?)";
        database
            .execute(insert, (id, owner, is_public, size))
            .expect("a row");
        for name in members {
            database
                .execute("INSERT INTO members VALUES (?, ?)", (id, name))
                .expect("a row");
        }
    }
    let columns = SqlColumns::new()
        .column("owner", "owner")
        .column("is_public", "is_public")
        .column("size", "size")
        .members(
            "members",
            "EXISTS (SELECT 1 FROM members WHERE object = objects.id AND name = ?)",
        );
    let sql = condition
        .to_sql(&columns)
        .expect("each property has a column");
    let query = format!("SELECT id FROM objects WHERE {} ORDER BY id", sql.text());
    let mut statement = database.prepare(&query).expect("SQL");
    let parameters = rusqlite::params_from_iter(sql.parameters().iter().map(parameter));
    let ids = statement
        .query_map(parameters, |row| row.get(0))
        .expect("rows");
    ids.map(|id| id.expect("an id")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A list by SQL has the objects, and the number of objects, that decisions about each have.
    #[test]
    fn list_agrees_with_decisions_about_items(rows in rows(), condition in conditions()) {
        let items = (0_i64..).zip(&rows).filter(|(id, row)| {
            condition.holds(&object(*id, row)) == Some(true)
        });
        let items: Vec<i64> = items.map(|(id, _)| id).collect();
        prop_assert_eq!(selected(&rows, &condition), items);
    }
}

#[test]
fn a_missing_property_is_unknown() {
    let object = Resource::new("Repository", "x").with_property("owner", "ann");
    let (known, unknown) = (
        Condition::equal("owner", "ann"),
        Condition::equal("size", 1),
    );
    for (condition, holds) in [
        (Condition::equal("id", "x"), Some(true)),
        (Condition::one_of("id", ["y", "x"]), Some(true)),
        (Condition::one_of("id", ["y"]), Some(false)),
        (Condition::one_of("size", [1, 2]), None),
        (Condition::one_of("size", Vec::<Value>::new()), Some(false)),
        (unknown.clone(), None),
        (Condition::not(unknown.clone()), None),
        (Condition::any([unknown.clone(), known.clone()]), Some(true)),
        (Condition::all([unknown.clone(), known.clone()]), None),
        (
            Condition::all([unknown, Condition::not(known)]),
            Some(false),
        ),
        (Condition::contains("owner", "ann"), Some(false)),
        // A list without members, as in SQL.
        (Condition::contains("members", "ann"), Some(false)),
        (
            Condition::not(Condition::contains("members", "ann")),
            Some(true),
        ),
        (Condition::exists("size"), Some(false)),
        (Condition::not(Condition::exists("owner")), Some(false)),
    ] {
        assert_eq!(condition.holds(&object), holds, "{condition:?}");
    }
}
