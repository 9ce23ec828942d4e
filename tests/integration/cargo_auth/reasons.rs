//! Comments with a reason for a missing policy, and the code that they apply to.

use serde_json::Value;

use crate::cargo_auth::refused::made;
use crate::cargo_auth::{json, root, run};

const MANIFEST: &str = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n\
                        [dependencies]\nauth-runtime = \"0.1\"\naxum = \"0.8\"\n";

/// Returns the codes of the findings in order, and the listed reasons.
fn told(name: &str, source: &str) -> (Vec<String>, Vec<String>) {
    let source = format!("use axum::{{Router, routing::get}};\nasync fn open() {{}}\n{source}");
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
    let folder = made(&format!("reasons/{name}"), &files);
    let texts = |list: &Value, key: &str| -> Vec<String> {
        let list = list.as_array().expect("a list").iter();
        list.map(|row| row[key].as_str().expect("a text").to_owned())
            .collect()
    };
    let found = json(&folder, &["check", "--format=json"]);
    let listed = json(&folder, &["list", "--format=json"]);
    (texts(&found, "code"), texts(&listed["unguarded"], "reason"))
}

const ROUTE: &str = "AUTH0101";
const IDLE: &str = "AUTH0105";

#[test]
fn reason_applies_to_the_next_line() {
    for (name, source, codes, reasons) in [
        (
            "a_statement",
            "fn f() {\n// unguarded: why\nlet a = Router::new().route(\"/\", get(open));\nget(open);\n}",
            &[ROUTE][..],
            &["why"][..],
        ),
        (
            "all_of_a_line",
            "fn f() {\n// unguarded: why\nlet a = Router::new().route(\"/\", get(open)).route(\"/a\", get(open));\n}",
            &[],
            &["why", "why"],
        ),
        (
            "but_no_further_links",
            "fn f() {\n// unguarded: why\nlet a = Router::new().route(\"/\", get(open))\n.route(\"/a\", get(open));\n}",
            &[ROUTE],
            &["why"],
        ),
        (
            "nor_links_in_links",
            "fn f() {\nRouter::new()\n// unguarded: why\n.nest(\"/\", Router::new()\n.route(\"/a\", get(open)));\n}",
            &[IDLE, ROUTE],
            &[],
        ),
        (
            "nor_the_arms_of_a_match",
            "fn f() {\n// unguarded: why\nmatch x {\nA => get(open),\n_ => get(open),\n}\n}",
            &[IDLE, ROUTE, ROUTE],
            &[],
        ),
        (
            "nor_the_elements_of_a_list",
            "fn f() {\n// unguarded: why\nlet a = [\nget(open),\n// unguarded: why not\n(\n\"/\", get(open)),\n];\n}",
            &[IDLE, ROUTE],
            &["why not"],
        ),
        (
            "nor_those_in_a_loop",
            "fn f() {\n// unguarded: why\nfor (path, route) in [(\"/\", get(open)),\n(\"/a\", get(open))] {}\n}",
            &[ROUTE],
            &["why"],
        ),
        (
            "nor_those_in_a_macro",
            "fn f() {\n// unguarded: why\nvec![\n(\"/\", get(open)),\n(\"/a\", get(open)),\n];\n}",
            &[IDLE, ROUTE, ROUTE],
            &[],
        ),
        (
            "but_a_list_of_one_line",
            "fn f() {\n// unguarded: why\nlet a = (vec![get(open), get(open)], [get(open)]);\n}",
            &[],
            &["why", "why", "why"],
        ),
        (
            "but_what_is_wrapped",
            "fn f() {\nRouter::new()\n// unguarded: why\n.route(\n\"/\",\nget(open),\n);\n}",
            &[],
            &["why"],
        ),
        (
            "a_link",
            "fn f() {\nRouter::new()\n.route(\"/\", get(open))\n// unguarded: why\n.route(\"/a\", get(open))\n.route(\"/b\", get(open));\n}",
            &[ROUTE, ROUTE],
            &["why"],
        ),
        (
            "an_argument",
            "fn f() {\nRouter::new().route(\n\"/\",\n// unguarded: why\nget(open),\n);\n}",
            &[],
            &["why"],
        ),
        (
            "a_further_method",
            "fn f() {\nget(open)\n// unguarded: why\n.post(open);\n}",
            &[ROUTE],
            &["why"],
        ),
        (
            "an_arm",
            "fn f() {\nmatch x {\n// unguarded: why\nA => get(open),\nB => get(open),\n}\n}",
            &[ROUTE],
            &["why"],
        ),
        (
            "several_lines",
            "fn f() {\n    // unguarded: why\n    // and how\n    get(open);\n}",
            &[],
            &["why and how"],
        ),
        (
            "two_are_not_one",
            "fn f() {\n// unguarded: why\n// unguarded: why not\nget(open);\n}",
            &[IDLE],
            &["why not"],
        ),
        (
            "a_function_is_more_than_one_thing",
            "// unguarded: why\nfn f() {\nget(open);\n}",
            &[IDLE, ROUTE],
            &[],
        ),
        (
            "so_is_a_block",
            "fn f() {\n// unguarded: why\nlet a = {\nget(open)\n};\n}",
            &[IDLE, ROUTE],
            &[],
        ),
        (
            "and_a_closure_with_one",
            "fn f() {\n// unguarded: why\nlet a = || {\nget(open)\n};\n}",
            &[IDLE, ROUTE],
            &[],
        ),
        (
            "too_far_above",
            "fn f() {\n// unguarded: why\n\nget(open);\n}",
            &[IDLE, ROUTE],
            &[],
        ),
        (
            "behind_it",
            "fn f() {\nget(open); // unguarded: why\n}",
            &[ROUTE],
            &[],
        ),
        (
            "below_it",
            "fn f() {\nget(open);\n// unguarded: why\n}",
            &[ROUTE, IDLE],
            &[],
        ),
        (
            "in_a_text",
            "fn f() {\nlet a = (\"\n// unguarded: why\n\", get(open));\n}",
            &[ROUTE],
            &[],
        ),
        (
            "a_doc_comment",
            "fn f() {\n/// unguarded: why\nlet a = get(open);\n}",
            &[ROUTE],
            &[],
        ),
        (
            "no_reason",
            "fn f() {\n// unguarded:\nget(open);\n}",
            &[IDLE, ROUTE],
            &[],
        ),
        (
            "for_a_guarded_one",
            "#[auth_runtime::requires(authenticated)]\nasync fn g() {}\nfn f() {\n// unguarded: why\nget(g);\n}",
            &[IDLE],
            &[],
        ),
        (
            "not_for_what_is_merged",
            "fn f() {\n// unguarded: why\nrouter.merge_unguarded(\"own\", &[], other);\n}",
            &[IDLE, "AUTH0102"],
            &["own"],
        ),
    ] {
        let (found, listed) = told(name, source);
        assert_eq!(found, codes, "{name}: {source}");
        assert_eq!(listed, reasons, "{name}: {source}");
    }
}

#[test]
fn reason_belongs_to_file_and_package() {
    let idle = "fn f() {\n// unguarded: why\nlet a = 1;\n}";
    let manifest = MANIFEST.replace("[workspace]\n", "[workspace]\nmembers = [\"other\"]\n");
    let files = [
        ("Cargo.toml", manifest.as_str()),
        (
            "src/lib.rs",
            "mod routes;\nasync fn open() {}\nfn f() { axum::routing::get(open); }",
        ),
        ("src/routes.rs", idle),
        ("other/Cargo.toml", "[package]\nname = \"other\"\n"),
        ("other/src/lib.rs", idle),
    ];
    let folder = made("reasons/files", &files);
    let found = |arguments: &[&str]| -> Vec<String> {
        let found = json(&folder, &[&["check", "--format=json"], arguments].concat());
        let found = found.as_array().expect("findings").iter();
        found
            .map(|row| format!("{} {}", row["file"], row["code"]).replace('"', ""))
            .collect()
    };
    let own = ["src/lib.rs AUTH0101", "src/routes.rs AUTH0105"];
    assert_eq!(found(&["-p=it"]), own);
    assert_eq!(found(&["-p=other"]), ["other/src/lib.rs AUTH0105"]);
    assert_eq!(found(&[]).len(), 3);
}

#[test]
fn this_repository_passes() {
    // The benchmark is excluded, since other frameworks guard its contenders.
    let packages = [
        "auth-runtime",
        "auth-runtime-audit",
        "auth-runtime-axum",
        "auth-tests",
        "auth-examples",
        "auth-forge",
        "auth-quickstart",
        "auth-tour",
    ];
    let check = ["check"].into_iter();
    let check: Vec<_> = check
        .chain(packages.into_iter().flat_map(|name| ["-p", name]))
        .collect();
    let checked = run(root(), &check);
    assert_eq!((checked.status, checked.errors.as_str()), (0, ""));
    let benchmark = run(root(), &["check", "-p", "auth-bench"]);
    assert_eq!(benchmark.status, 1, "{}", benchmark.text);
    let listed = json(root(), &["list", "--format=json"]);
    let unguarded = listed["unguarded"].as_array().expect("a list");
    assert!(unguarded.len() > 5, "{unguarded:#?}");
    for row in unguarded {
        assert_ne!(row["reason"], "", "{row}");
    }
}

#[test]
fn reasons_of_modules_belong_to_handlers() {
    let source = r#"
use auth_runtime::requires;
#[requires(role = "admin")]
mod admin {
    #[requires(role = "ops", loosen = "ops read the log")]
    mod log {
        async fn list() {}
        #[requires(role = "clerk", loosen = "clerks count")]
        async fn count() {}
    }
}
"#;
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source)];
    let listed = json(
        &made("reasons/a_module", &files),
        &["list", "--format=json"],
    );
    let rows = listed["policies"].as_array().expect("a list").iter();
    let reasons: Vec<_> = rows.map(|row| row["reason"].clone()).collect();
    assert_eq!(reasons, ["ops read the log", "clerks count"]);
}
