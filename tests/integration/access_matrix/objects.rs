//! Routes that are requested once for each declared object.

use auth_runtime::objects::{
    DecisionPoint, Evaluation, EvaluationFuture, EvaluationRequest, ObjectDecision, ObjectRequest,
    ObjectRules, TokenScope,
};
use auth_runtime_audit::AccessReport;
use axum::extract::Path as PathValues;

use super::*;

#[requires(can = "read", on = "Repository::{owner}/{repo}", hide_as = 404)]
async fn read() {}

#[requires(can = "update", on = "Repository::{owner}/{repo}", scope = "repo:write",
           hide_as = 404, hide_unless = can("read"))]
async fn update() -> StatusCode {
    StatusCode::NO_CONTENT
}

#[requires(can = "read", on = "File::{path}")]
async fn file_of(PathValues(path): PathValues<String>) -> StatusCode {
    let matches = ["ann/a b/c.txt", "bob/notes"].contains(&path.as_str());
    match matches {
        true => StatusCode::OK,
        false => StatusCode::CONFLICT,
    }
}

#[requires(
    can("read", on = "Document::{source}"),
    can("update", on = "Document::{target}")
)]
async fn merge(PathValues((source, target)): PathValues<(String, String)>) -> String {
    format!("{source} {target}")
}

#[requires(can = "restart")]
async fn restart() {}

/// The owner may do everything, everybody may read objects whose id ends with `-public`, and `ann` may restart.
async fn rule(request: ObjectRequest<'_>) -> bool {
    let owner = request.id().split('/').next();
    let is_own = owner == Some(request.identity().subject());
    is_own || request.action() == "read" && request.id().ends_with("-public")
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/repos/{owner}/{repo}", get(read).put(update))
        .route("/repos/{owner}/{repo}/issues/{number}", get(read))
        .route("/files/{*path}", get(file_of))
        .route("/merge/{source}/into/{target}", post(merge))
        .route("/restart", post(restart))
}

fn object_space() -> ProtectionSpace {
    let rules = ["Repository", "File", "Document"].into_iter();
    let rules = rules.fold(ObjectRules::new(()), |rules, kind| rules.on(kind, rule));
    let rules = rules.on_service(rule);
    let space = space_builder().decision_point(rules);
    space.build().expect("the space is in order")
}

fn app() -> ProtectedRouter {
    routes().protect(object_space()).expect("a router")
}

fn caller(name: &str) -> Persona {
    known(name, Identity::new(name).with_scopes(["repo:write"]))
}

/// The matrix without objects.
fn matrix() -> AccessMatrixBuilder {
    AccessMatrix::builder(&routes().access_table(), &object_space())
        .persona(Persona::anonymous())
        .persona(caller("ann"))
        .persona(caller("bob"))
        .path_value("owner", "ann")
        .path_value("repo", "garden")
        .path_value("number", "7")
        .path_value("path", "bob/notes")
        .path_value("source", "ann")
        .path_value("target", "ann")
}

/// Returns the lines of the table without its headings.
async fn lines(builder: AccessMatrixBuilder) -> Vec<String> {
    let matrix = builder.send(&app()).await.expect("a matrix");
    let differences: Vec<_> = matrix.differences().collect();
    assert!(differences.is_empty(), "{differences:#?}");
    let markdown = matrix.to_markdown();
    let lines = markdown.lines().filter(|line| line.starts_with("| "));
    lines.skip(1).map(str::to_owned).collect()
}

const WITHOUT_OBJECTS: [&str; 7] = [
    "| GET | `/files/{*path}` | 401 | 403 | 200 |",
    "| GET | `/healthz` | 200 | 200 | 200 |",
    "| POST | `/merge/{source}/into/{target}` | 401 | 200 | 403 |",
    "| GET | `/repos/{owner}/{repo}` | 404 hidden | 200 | 404 hidden |",
    "| PUT | `/repos/{owner}/{repo}` | 404 hidden | 204 | 404 hidden |",
    "| GET | `/repos/{owner}/{repo}/issues/{number}` | 404 hidden | 200 | 404 hidden |",
    "| POST | `/restart` | 401 | 403 | 403 |",
];

#[tokio::test]
async fn routes_have_row_for_each_object() {
    assert_eq!(lines(matrix()).await, WITHOUT_OBJECTS);
    let builder = matrix()
        .object("Repository", "ann/garden")
        .object("Repository", "bob/diary")
        .object("Repository", "bob/x/y-public");
    let [files, healthz, merge, .., restart] = WITHOUT_OBJECTS;
    assert_eq!(
        lines(builder).await,
        [
            files,
            healthz,
            merge,
            r#"| GET | `/repos/{owner}/{repo}` on `Repository::"ann/garden"` | 404 hidden | 200 | 404 hidden |"#,
            r#"| GET | `/repos/{owner}/{repo}` on `Repository::"bob/diary"` | 404 hidden | 404 hidden | 200 |"#,
            r#"| GET | `/repos/{owner}/{repo}` on `Repository::"bob/x/y-public"` | 404 hidden | 200 | 200 |"#,
            r#"| PUT | `/repos/{owner}/{repo}` on `Repository::"ann/garden"` | 404 hidden | 204 | 404 hidden |"#,
            r#"| PUT | `/repos/{owner}/{repo}` on `Repository::"bob/diary"` | 404 hidden | 404 hidden | 204 |"#,
            r#"| PUT | `/repos/{owner}/{repo}` on `Repository::"bob/x/y-public"` | 404 hidden | 403 | 204 |"#,
            r#"| GET | `/repos/{owner}/{repo}/issues/{number}` on `Repository::"ann/garden"` | 404 hidden | 200 | 404 hidden |"#,
            r#"| GET | `/repos/{owner}/{repo}/issues/{number}` on `Repository::"bob/diary"` | 404 hidden | 404 hidden | 200 |"#,
            r#"| GET | `/repos/{owner}/{repo}/issues/{number}` on `Repository::"bob/x/y-public"` | 404 hidden | 200 | 200 |"#,
            restart,
        ]
    );
}

/// A row for each place of the object, since the policy has two.
#[tokio::test]
async fn object_is_tried_in_each_place() {
    let builder = matrix()
        .object("Document", "bob")
        .object("File", "ann/a b/c.txt");
    let lines = lines(builder).await;
    assert_eq!(
        lines[..4],
        [
            r#"| GET | `/files/{*path}` on `File::"ann/a b/c.txt"` | 401 | 200 | 403 |"#,
            WITHOUT_OBJECTS[1],
            r#"| POST | `/merge/{source}/into/{target}` on `Document::"bob"` as `Document::{source}` | 401 | 403 | 403 |"#,
            r#"| POST | `/merge/{source}/into/{target}` on `Document::"bob"` as `Document::{target}` | 401 | 403 | 403 |"#,
        ]
    );
}

#[tokio::test]
async fn targets_may_contain_the_object() {
    let issues = "/repos/{owner}/{repo}/issues/{number}";
    let rows_of = async |target: &str| {
        let builder = matrix()
            .object("Repository", "ann/garden")
            .object("Repository", "bob/diary")
            .target(issues, target);
        let lines = lines(builder).await.into_iter();
        let lines = lines.filter(|line| line.contains("issues"));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(
        rows_of("/repos/{owner}/{repo}/issues/1?x={owner}").await,
        [
            r#"| GET | `/repos/{owner}/{repo}/issues/{number}` on `Repository::"ann/garden"` | 404 hidden | 200 | 404 hidden |"#,
            r#"| GET | `/repos/{owner}/{repo}/issues/{number}` on `Repository::"bob/diary"` | 404 hidden | 404 hidden | 200 |"#,
        ]
    );
    // A target of one object.
    assert_eq!(
        rows_of("/repos/bob/{repo}/issues/1").await,
        ["| GET | `/repos/{owner}/{repo}/issues/{number}` | 404 hidden | 404 hidden | 200 |"]
    );
}

#[tokio::test]
async fn mistakes_of_objects_are_listed() {
    let builder = AccessMatrix::builder(&routes().access_table(), &object_space())
        .persona(Persona::anonymous())
        .path_value("path", "bob/notes")
        .path_value("source", "ann")
        .path_value("target", "ann")
        .object("Repository", "ann/garden")
        .object("Repository", "bob/diary")
        .object("Repository", "ann/garden")
        .object("Repository", "garden")
        .object("Repository", "/garden")
        .object("Repo", "ann/garden")
        .object("Service", "api")
        .object("File", "");
    let error = builder.send(&app()).await.expect_err("mistakes");
    assert_eq!(
        error.to_string(),
        r#"the matrix cannot be requested
  two objects are Repository::"ann/garden"
  Repository::"garden" has no id of `Repository::{owner}/{repo}`
  Repository::"/garden" has no id of `Repository::{owner}/{repo}`
  no policy has a `can` on an object of the type `Repo`, so Repo::"ann/garden" is not requested
  no policy has a `can` on an object of the type `Service`, so Service::"api" is not requested
  File::"" has no id of `File::{path}`
  `/repos/{owner}/{repo}/issues/{number}` has a parameter without a value: add `.path_value("number", …)`"#
    );
}

/// An engine that decides by the token: the scope of the object is in the denial.
#[tokio::test]
async fn scopes_of_objects_are_compared() {
    struct ByScope;

    fn scope_of(evaluation: &Evaluation) -> Option<String> {
        let resource = &evaluation.resource;
        Some(format!("{}:{}", resource.resource_type(), resource.id()).replace(' ', "_"))
    }

    impl DecisionPoint for ByScope {
        fn name(&self) -> &'static str {
            "by scope"
        }

        fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
            let decisions = request.evaluations.iter().map(|evaluation| {
                let scope = scope_of(evaluation);
                ObjectDecision::from(scope.is_some_and(|scope| request.identity.has_scope(&scope)))
            });
            let decisions = decisions.collect();
            Box::pin(async move { Ok(decisions) })
        }

        fn token_scope(&self) -> Option<TokenScope> {
            Some(scope_of)
        }
    }

    #[requires(can = "read", on = "Repository::{owner}/{repo}")]
    async fn visible() {}

    let routes = || {
        GuardedRouter::new()
            .route("/repos/{owner}/{repo}", get(visible))
            .route("/files/{*path}", post(file_of))
    };
    let space = space_builder().decision_point(ByScope);
    let space = space.build().expect("the space is in order");
    let app = routes().protect(space.clone()).expect("a router");
    let with =
        |name: &str, scope: &'static str| known(name, Identity::new("ann").with_scopes([scope]));
    let matrix = AccessMatrix::builder(&routes().access_table(), &space)
        .persona(Persona::anonymous())
        .persona(with("reader", "Repository:ann/garden"))
        .persona(with("downloader", "File:ann/a_b/c.txt"))
        .path_value("owner", "ann")
        .path_value("repo", "garden")
        .path_value("path", "ann/a b/c.txt");
    let matrix = matrix.send(&app).await.expect("a matrix");
    let differences: Vec<_> = matrix.differences().collect();
    assert!(differences.is_empty(), "{differences:#?}");
    let markdown = matrix.to_markdown();
    for line in [
        "| POST | `/files/{*path}` | 401 | 403 scope | 200 |",
        "| GET | `/repos/{owner}/{repo}` | 401 | 200 | 403 scope |",
    ] {
        assert!(markdown.contains(line), "{markdown}");
    }
}

#[tokio::test]
async fn changes_name_the_object() {
    let with_objects = || {
        let objects = ["ann/garden", "bob/diary"].into_iter();
        objects.fold(matrix(), |matrix, id| matrix.object("Repository", id))
    };
    let matrix = with_objects().send(&app()).await.expect("a matrix");
    let file = file("objects.md");
    let text = matrix.to_markdown();
    std::fs::write(&file, &text).expect("a file");
    matrix.check(&file).expect("the same");
    let own = r#"| GET | `/repos/{owner}/{repo}` on `Repository::"bob/diary"` | 404 hidden | 404 hidden | 200 |"#;
    let other = own.replace(
        "404 hidden | 404 hidden | 200",
        "404 hidden | 200 | 404 hidden",
    );
    assert!(text.contains(own), "{text}");
    std::fs::write(&file, text.replace(own, &other)).expect("a file");
    let report = matrix.check(&file).expect_err("a change").to_string();
    assert!(
        report.contains(
            "newly allowed\n  GET `/repos/{owner}/{repo}` on `Repository::\"bob/diary\"`\n    \
             bob: 404 hidden → 200\n\nno longer allowed\n  GET `/repos/{owner}/{repo}` on \
             `Repository::\"bob/diary\"`\n    ann: 200 → 404 hidden\n"
        ),
        "{report}"
    );
    // A layer that leaks one object.
    let leaking = from_fn(async |request: Request, next: axum::middleware::Next| {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/repos/bob/diary") => "from a cache".into_response(),
            _ => next.run(request).await,
        }
    });
    let found = differences(app().layer(leaking), with_objects()).await;
    let places: Vec<_> = found
        .iter()
        .map(|line| line.split(": the policy").next().expect("a place"))
        .collect();
    let place = r#"GET /repos/{owner}/{repo} on Repository::"bob/diary""#;
    assert_eq!(
        places,
        ["anonymous", "ann", "bob"].map(|persona| format!("{place}, {persona}"))
    );
}

#[tokio::test]
async fn objects_in_columns_json_and_page() {
    let builder = matrix()
        .object("Repository", "ann/garden")
        .object("Repository", "bob/<diary>");
    let matrix = builder.send(&app()).await.expect("a matrix");
    let columns = matrix.to_string();
    let line = "GET     /repos/{owner}/{repo} on Repository::\"ann/garden\"";
    assert!(columns.contains(line), "{columns}");
    let json = serde_json::to_value(&matrix).expect("JSON");
    let objects: Vec<_> = json["rows"].as_array().expect("rows").iter().collect();
    assert_eq!(objects[0].get("object"), None);
    assert_eq!(
        objects[4]["object"],
        json!({ "type": "Repository", "id": "bob/<diary>", "on": "Repository::{owner}/{repo}" })
    );
    assert_eq!(matrix.rows()[0].object(), None);
    let object = matrix.rows()[4].object().expect("an object");
    assert_eq!(
        (object.resource_type(), object.id()),
        ("Repository", "bob/<diary>")
    );

    let table = routes().access_table();
    let page = AccessReport::new(&table).with_matrix(&matrix).to_html();
    let page = page.replace("<wbr>", "");
    assert!(page.contains(
        "7 rows: 1 public, 3 hidden, 0 unguarded. With a row for each object and each value of a \
             setting: 10 rows."
    ));
    assert!(page.contains("all 10 rows"));
    let line = "<code>/repos/{owner}/{repo}</code> on <code class=\"object\">\
                Repository::&quot;bob/&lt;diary&gt;&quot;</code></th>";
    assert_eq!(page.matches(line).count(), 2, "{page}");
    let searched = "data-text=\"/repos/{owner}/{repo} integration::access_matrix::objects::read \
                    repository::&quot;bob/&lt;diary&gt;&quot;\"";
    assert!(page.contains(searched), "{page}");
    let option =
        "<option value=\"can(&quot;update&quot;, on = &quot;Repository::{owner}/{repo}&quot;)\"";
    assert!(page.contains(option), "{page}");
}

/// Denies with a reason, or until a login.
struct Explaining;

impl DecisionPoint for Explaining {
    fn name(&self) -> &'static str {
        "explaining"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let decide = |evaluation: &Evaluation| match evaluation.resource.id() {
            "vault" => ObjectDecision::deny_until_login(["gold"]),
            _ => ObjectDecision::deny().with_reason("only on weekdays"),
        };
        let decisions = request.evaluations.iter().map(decide).collect();
        Box::pin(async { Ok(decisions) })
    }
}

/// The matrix does not know the reason that a decision point gives, nor the login that it requests.
#[tokio::test]
async fn reasons_and_logins_are_no_differences() {
    #[requires(can = "open", on = "Room::{room}")]
    async fn shown() {}
    #[requires(can = "open", on = "Room::{room}", hide_as = 404)]
    async fn hidden() {}

    let routes = || {
        GuardedRouter::new()
            .route("/shown/{room}", get(shown))
            .route("/hidden/{room}", get(hidden))
    };
    let space = space_builder().decision_point(Explaining).build();
    let space = space.expect("a space");
    let builder = AccessMatrix::builder(&routes().access_table(), &space)
        .persona(caller("ann"))
        .object("Room", "vault")
        .object("Room", "hall");
    let app = routes().protect(space).expect("a router");
    let matrix = builder.send(&app).await.expect("a matrix");
    let differences: Vec<_> = matrix.differences().collect();
    assert!(differences.is_empty(), "{differences:#?}");
    let markdown = matrix.to_markdown();
    for row in [
        r#"| GET | `/hidden/{room}` on `Room::"hall"` | 404 hidden |"#,
        r#"| GET | `/hidden/{room}` on `Room::"vault"` | 401 step-up |"#,
        r#"| GET | `/shown/{room}` on `Room::"hall"` | 403 |"#,
        r#"| GET | `/shown/{room}` on `Room::"vault"` | 401 step-up |"#,
    ] {
        assert!(markdown.contains(row), "{row}\n{markdown}");
    }
}
