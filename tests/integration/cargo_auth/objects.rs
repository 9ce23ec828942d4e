//! Objects that policies name by path parameters that their routes do not have.

use crate::cargo_auth::json;
use crate::cargo_auth::refused::made;

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
            "of_the_exception",
            "fn f() { GuardedRouter::new().route(\"/{owner}\", get(list)); }",
            vec![missing(5, "/{owner}", "org", "Org::{org}")],
        ),
    ] {
        assert_eq!(found(name, source), expected, "{name}");
    }
}
