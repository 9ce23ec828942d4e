//! Objects in policies: their list, and path parameters that the routes do not have.

use crate::cargo_auth::refused::made;
use crate::cargo_auth::{json, run};

const MANIFEST: &str = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n\
                        [dependencies]\nauth-runtime = \"0.1\"\naxum = \"0.8\"\n";

const HANDLERS: &str = "\
use auth_runtime::{GuardedRouter, public, requires, routing::*};
#[requires(can = \"read\", on = \"Repo::{owner}/{repo}\")] async fn read() {}
#[requires(can(\"read\", on = \"Owner::{owner}\"), hide_as = 404, hide_unless = can(\"list\", on = \"Org::{org}\"))] async fn list() {}
#[requires(can = \"restart\")] async fn restart() {}
";

/// Returns the findings, each with its line.
fn found(name: &str, source: &str) -> Vec<String> {
    let source = format!("{HANDLERS}{source}");
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
    let folder = made(&format!("objects/{name}"), &files);
    let found = json(&folder, &["check", "--format=json"]);
    let found = found.as_array().expect("findings").iter();
    let found = found.filter(|it| it["code"] == "AUTH0107");
    found
        .map(|it| {
            let message = it["message"].as_str().expect("a text");
            let (first, _) = message.split_once('\n').expect("two lines");
            format!("{}: {first}", it["line"])
        })
        .collect()
}

#[test]
fn missing_path_parameters_are_found() {
    let missing = |line: u32, path: &str, name: &str, on: &str| {
        format!(
            "{line}: the path `{path}` has no parameter `{name}`, which `on = {on:?}` of its policy names"
        )
    };
    let repo = "Repo::{owner}/{repo}";
    for (name, source, expected) in [
        (
            "all",
            "fn f() { GuardedRouter::new().route(\"/{owner}/{repo}\", get(read)).route(\"/restart\", get(restart)); }",
            vec![],
        ),
        (
            "one_and_two",
            "fn f() { GuardedRouter::new().route(\"/{owner}\", get(read))\n.route(\"/x\", put(read)); }",
            vec![
                missing(5, "/{owner}", "repo", repo),
                missing(6, "/x", "owner", repo),
                missing(6, "/x", "repo", repo),
            ],
        ),
        (
            "in_a_prefix",
            "fn inner() -> GuardedRouter { GuardedRouter::new().route(\"/{repo}\", get(read)) }\n\
             fn f() { GuardedRouter::new().nest(\"/{owner}\", inner()); }",
            vec![],
        ),
        (
            "in_a_prefix_of_another_name",
            "fn inner() -> GuardedRouter { GuardedRouter::new().route(\"/{repo}\", get(read)) }\n\
             fn f() { GuardedRouter::new().nest(\"/{user}\", inner()); }",
            vec![missing(5, "/{repo}", "owner", repo)],
        ),
        (
            "in_an_unknown_prefix",
            "fn inner() -> GuardedRouter { GuardedRouter::new().route(\"/{repo}\", get(read)) }\n\
             fn f(prefix: &str) { GuardedRouter::new().nest(prefix, inner()); }",
            vec![],
        ),
        (
            "in_one_of_two_prefixes",
            "fn f(old: bool) { let router = GuardedRouter::new().route(\"/{repo}\", get(read)); let all = GuardedRouter::new();\n\
             serve(if old { all.nest(\"/{owner}\", router) } else { all.nest(\"/v2/{owner}\", router) }); }",
            vec![],
        ),
        (
            "in_a_prefix_of_the_protected_router",
            "fn f() { let api = GuardedRouter::new().route(\"/{repo}\", get(read)).protect(space)?; Router::new().nest(\"/{owner}\", api); }",
            vec![missing(5, "/{repo}", "owner", repo)],
        ),
        (
            "in_a_constant",
            "const PATH: &str = \"/{owner}\"; fn f() { GuardedRouter::new().route(PATH, get(read)); }",
            vec![missing(5, "/{owner}", "repo", repo)],
        ),
        (
            "of_the_exception",
            "fn f() { GuardedRouter::new().route(\"/{owner}\", get(list)); }",
            vec![missing(5, "/{owner}", "org", "Org::{org}")],
        ),
        (
            "of_all_methods",
            "fn f() { GuardedRouter::new().route(\"/{owner}\", any(read)); }",
            vec![missing(5, "/{owner}", "repo", repo)],
        ),
        (
            "of_services",
            "#[requires(can = \"read\", on = \"Repo::{owner}/{repo}\")] struct Files;\n\
             fn f() { GuardedRouter::new().route_service(\"/{owner}\", Files, files())\n\
             .route(\"/{repo}\", get_service(Files, files()))\n\
             .nest_service(\"/{owner}/x\", Files, files()).nest_service(\"/{owner}/{repo}\", Files, files()); }",
            vec![
                missing(6, "/{owner}", "repo", repo),
                missing(7, "/{repo}", "owner", repo),
                missing(8, "/{owner}/x/*", "repo", repo),
            ],
        ),
    ] {
        assert_eq!(found(name, source), expected, "{name}");
    }
}

/// The compiler reports the same mistakes.
#[test]
fn mistakes_beside_a_policy_are_found() {
    let source = "use auth_runtime::requires;\n\
                  #[requires(authenticated, on = \"Repo::{id}\")] async fn idle() {}\n\
                  #[requires(crate = ::auth, authenticated)] async fn late(_: String, _: auth::Guard) {}\n\
                  #[requires(scop = \"a\")] mod m {\n\
                  #[auth_runtime::requires(rol = \"a\")] pub mod n { pub async fn h() {} }\n\
                  #[auth_runtime::public(reson = \"a\")] pub async fn p() {}\n\
                  }\n\
                  #[requires(authentic)] struct S;\n\
                  #[auth_runtime::public] struct P;\n";
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source)];
    let found = json(&made("objects/beside", &files), &["check", "--format=json"]);
    let found = found.as_array().expect("findings").iter();
    let found: Vec<_> = found
        .map(|it| format!("{} {}", it["line"], it["code"]))
        .collect();
    assert_eq!(
        found,
        [
            r#"2 "AUTH0063""#,
            r#"3 "AUTH0013""#,
            r#"4 "AUTH0001""#,
            r#"5 "AUTH0001""#,
            r#"6 "AUTH0010""#,
            r#"8 "AUTH0001""#,
            r#"9 "AUTH0009""#,
        ]
    );
}

/// The text, JSON and SARIF have the whole requirement, with the object of the enclosing module.
#[test]
fn actions_and_objects_are_listed() {
    let source = format!(
        "{HANDLERS}\
         #[requires(can = \"read\", on = \"Repo::{{owner}}/{{repo}}\", scope = \"repo\")]\n\
         mod repos {{\n\
         use auth_runtime::requires;\n\
         pub async fn show() {{}}\n\
         #[requires(any(can = \"write\", role = \"admin\"))] pub async fn change() {{}}\n\
         }}\n"
    );
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
    let folder = made("objects/listed", &files);
    let text = run(&folder, &["list"]).text;
    let document = json(&folder, &["list", "--format=json"]);
    let sarif = json(&folder, &["list", "--format=sarif"]).to_string();
    for (path, policy) in [
        (
            "it::read",
            r#"requires(can("read", on = "Repo::{owner}/{repo}"))"#,
        ),
        (
            "it::list",
            r#"requires(can("read", on = "Owner::{owner}"), hide_as = 404, hide_unless = can("list", on = "Org::{org}"))"#,
        ),
        ("it::restart", r#"requires(can = "restart")"#),
        (
            "it::repos::show",
            r#"requires(can("read", on = "Repo::{owner}/{repo}"), scope = "repo")"#,
        ),
        (
            "it::repos::change",
            r#"requires(can("read", on = "Repo::{owner}/{repo}"), scope = "repo", any(can("write", on = "Repo::{owner}/{repo}"), role = "admin"))"#,
        ),
    ] {
        let mut lines = text.lines();
        let line = lines.find(|line| line.contains(&format!("{path} ")));
        let line = line.expect("a line");
        assert!(line.ends_with(policy), "{line}");
        let mut rows = document["policies"].as_array().expect("policies").iter();
        let row = rows.find(|row| row["path"] == path).expect("a row");
        assert_eq!(row["policy"], policy);
        let quoted = policy.replace('"', "\\\"");
        assert!(sarif.contains(&quoted), "{policy}: {sarif}");
    }
}
