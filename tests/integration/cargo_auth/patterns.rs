//! Open patterns that match spellings of guarded paths, as far as they are visible in sources.

use crate::cargo_auth::refused::made;
use crate::cargo_auth::{json, run};

const MANIFEST: &str = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n\
                        [dependencies]\nauth-runtime = \"0.1\"\naxum = \"0.8\"\n";

const HANDLERS: &str = "\
use auth_runtime::{GuardedRouter, public, requires, routing::*};
#[public(reason = \"pages\")] async fn page() {}
#[public(reason = \"pages\")] struct Pages;
#[requires(role = \"admin\")] async fn secret() {}
#[requires(role = \"admin\")] struct Staff;
#[requires(authenticated)] async fn known() {}
#[requires(scope = \"a\")] async fn other() {}
";

/// Returns the lines with open patterns, each with a short form of its finding.
fn found(name: &str, source: &str) -> Vec<String> {
    let source = format!("{HANDLERS}{source}");
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
    let folder = made(&format!("patterns/{name}"), &files);
    let found = json(&folder, &["check", "--format=json"]);
    let found = found.as_array().expect("findings").iter();
    let found = found.filter(|it| it["code"] == "AUTH0106");
    found
        .map(|it| {
            let message = it["message"].as_str().expect("a text");
            let (first, _) = message.split_once('\n').expect("two lines");
            let what = first.replace(" also matches percent-encoded spellings of ", ": ");
            let what = what
                .replace(", and allows more callers", "")
                .replace('`', "");
            format!("{}: {what}", it["line"])
        })
        .collect()
}

#[test]
fn nested_open_patterns_are_found() {
    for (name, source, expected) in [
        (
            "a_wildcard",
            "fn f() -> GuardedRouter { GuardedRouter::new().route(\"/x/secret\", get(secret)).route(\"/x/{*p}\", get(page)) }",
            &["8: GET /x/{*p}: /x/secret"][..],
        ),
        (
            "a_parameter_for_everybody_and_for_more",
            "fn f() { let r = GuardedRouter::new().route(\"/x/secret\", get(secret).put(secret))\n.route(\"/x/{p}\", get(page).put(known).post(page)); }",
            &["9: GET /x/{p}: /x/secret", "9: PUT /x/{p}: /x/secret"],
        ),
        (
            "policies_that_are_not_comparable",
            "fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).route(\"/x/{p}\", get(other));\nGuardedRouter::new().route(\"/x/secret\", get(secret)).route(\"/x/{*p}\", get(other)); }",
            &["9: GET /x/{*p}: /x/secret"],
        ),
        (
            "functions",
            "mod m { use super::*; pub fn inner() -> GuardedRouter { let mut r = GuardedRouter::new();\nr = r.route(\"/{*p}\", on(MethodFilter::GET.or(MethodFilter::PUT), page));\nr } }\n\
             fn f() -> Result<Router, E> { Ok(GuardedRouter::new().merge(m::inner()).nest(\"/x\", GuardedRouter::new().route(\"/secret\", get(secret))).protect(space)?) }",
            &["9: GET /{*p}: /x/secret"],
        ),
        (
            "the_longest_path",
            "fn inner() -> GuardedRouter { GuardedRouter::new().route(\"/s/secret\", get(secret)).nest_service(\"/s\", Pages, files()) }\n\
             fn f() { GuardedRouter::new().nest(\"/v1\", inner()); }",
            &["8: any /v1/s/*: /v1/s/secret"],
        ),
        (
            "a_plain_router",
            "fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).merge_unguarded(\"why\", &[\"/{*p}\", \"/y\"], r()); }",
            &["8: any /{*p}: /x/secret"],
        ),
        (
            "an_adopted_router",
            "fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).adopt(r(), \"why\"); }",
            &["8: any /*: /x/secret"],
        ),
        (
            "a_fallback",
            "fn f() { GuardedRouter::new().nest_service(\"/x\", Staff, files()).route(\"/y\", get(secret)).fallback_service(Pages, files()); }",
            &["8: any /*: /x/*"],
        ),
        (
            "what_is_right",
            "fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).route(\"/x/{*p}\", get(secret).post(page)).fallback(page);\n\
             GuardedRouter::new().route(\"/y/secret\", get(secret)).protect(s)?.route(\"/y/{p}\", get(page));\n\
             GuardedRouter::new().route(\"/x/secret\", get(secret)); GuardedRouter::new().route(\"/x/{*p}\", get(page));\n\
             axum::Router::new().route(\"/x/secret\", get(secret)).route(\"/x/{*p}\", get(page)); }",
            &[],
        ),
        (
            "a_circle",
            "fn a() -> GuardedRouter { b().route(\"/x/secret\", get(secret)) } fn b() -> GuardedRouter { a().merge(a()).route(\"/x/{*p}\", get(page)) }",
            &["8: GET /x/{*p}: /x/secret"],
        ),
    ] {
        assert_eq!(found(name, source), expected, "{name}");
    }
}

#[test]
fn comment_allows_an_open_pattern() {
    let routes = |above: &str| {
        format!(
            "fn f() {{\nGuardedRouter::new()\n.route(\"/x/secret\", get(secret))\n{above}.route(\"/x/{{*p}}\", get(page));\n}}"
        )
    };
    assert_eq!(found("bare", &routes("")), ["11: GET /x/{*p}: /x/secret"]);
    let allowed = format!(
        "{HANDLERS}{}",
        routes("// unguarded: its files are others\n")
    );
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", allowed.as_str())];
    let folder = made("patterns/allowed", &files);
    let checked = run(&folder, &["check"]);
    assert_eq!(checked.status, 0, "{}", checked.text);
    let listed = run(&folder, &["list"]).text;
    let line =
        "src/lib.rs:12: GET /x/{*p} answers spellings of a guarded path: its files are others\n";
    assert!(listed.contains(line), "{listed}");
}
