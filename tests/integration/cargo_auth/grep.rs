//! The results of an audit with `grep` and of the tool are the same.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::cargo_auth::refused::made;
use crate::cargo_auth::{json, root, workspace};

/// Returns the lines that a command of a page prints in a folder.
fn lines(folder: &Path, page: &str, command: &str) -> Vec<String> {
    let page = std::fs::read_to_string(root().join(page)).expect("a page");
    assert!(page.contains(command), "the page says something else");
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .output();
    let text = String::from_utf8(output.expect("sh runs").stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

fn policies(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let listed = json(folder, arguments);
    listed["policies"].as_array().expect("policies").clone()
}

/// Returns `file:line` of each entry of a list.
fn places(listed: &[Value]) -> BTreeSet<String> {
    let place = |row: &Value| format!("{}:{}", row["file"].as_str().expect("a file"), row["line"]);
    listed.iter().map(place).collect()
}

#[test]
fn grep_and_list_agree() {
    let shown = lines(
        root(),
        "README.md",
        r"grep -rnE '#\[(::|\$)?(\w+::)*(requires|public)' examples/quickstart/src/main.rs",
    );
    let shown: BTreeSet<String> = shown
        .iter()
        .filter_map(|line| line.split(':').next())
        .map(|line| format!("examples/quickstart/src/main.rs:{line}"))
        .collect();
    let mut listed = policies(root(), &["list", "--format=json", "-p", "auth-quickstart"]);
    listed.retain(|row| row["file"] == "examples/quickstart/src/main.rs");
    assert_eq!(listed.len(), 4);
    assert_eq!(shown, places(&listed));
}

/// The page with that command.
const AUDITING: &str = "auth-runtime/guide/auditing.md";

const WHOLE: &str = r#"grep -rzoP '#\[(::|\$)?(\w+::)*(requires|public)\(("(\\.|[^"\\])*"|[^"])*?\)\]' --include='*.rs' . | tr '\n\0' ' \n' | tr -s ' '"#;

/// Attributes by paths that only a `macro_rules!` can write.
const MACROS: &str = "macro_rules! handlers {\n    ($runtime:ident) => {\n        \
    #[$crate::__private::public(reason = \"c\")]\n        async fn c() {}\n        \
    #[$runtime::requires(role = \"d\")]\n        async fn d() {}\n    };\n}\n";

#[test]
fn attributes_in_macros_are_shown() {
    let folder = made("shown_macros", &[("src/lib.rs", MACROS)]);
    let command = r"grep -rnE '#\[(::|\$)?(\w+::)*(requires|public)' src";
    assert_eq!(
        lines(&folder, AUDITING, command),
        [
            r#"src/lib.rs:3:        #[$crate::__private::public(reason = "c")]"#,
            r#"src/lib.rs:5:        #[$runtime::requires(role = "d")]"#,
        ]
    );
}

const OTHER_CODE: &str = r"grep -rnE 'merge_unguarded|adopt\(|fallback_service|layer\(|into_router|\b(OpenApi|Api)?Router::|__private' src";

#[test]
fn other_responding_code_is_shown() {
    let shown = [
        "routes.merge_unguarded(plain, PATHS, REASON)",
        "routes.adopt(plain, REASON)",
        "routes.fallback_service(files)",
        "routes.route_layer(limit)",
        "protected.into_router(REASON)",
        "axum::Router::new()",
        "OpenApiRouter::<Db>::with_openapi(document)",
        "aide::axum::ApiRouter::new()",
        "auth_runtime::__private1::Policy",
    ];
    let guarded = "GuardedRouter::new()\nGuardedOpenApiRouter::new()\n";
    let source = shown.join("\n") + "\n" + guarded;
    let folder = made("other_code", &[("src/lib.rs", &source)]);
    let expected = (1..).zip(shown);
    let expected: Vec<_> = expected
        .map(|(line, text)| format!("src/lib.rs:{line}:{text}"))
        .collect();
    assert_eq!(lines(&folder, AUDITING, OTHER_CODE), expected);
}

#[test]
fn a_wrapped_attribute_is_shown_whole() {
    let files = [
        (
            "src/lib.rs",
            "#[requires(\n    any(scope = \"orders:read\", role = \"auditor\"),\n    schemes(Bearer),\n)]\n\
             async fn orders() {}\n",
        ),
        (
            "src/texts.rs",
            "#[public(reason = \"see [x](y)] and \\\" )]\")]\nasync fn a() {}\n\
             #[::auth_runtime::public(reason = \"b\")]\nasync fn b() {}\n",
        ),
        ("src/macros.rs", MACROS),
    ];
    let mut shown = lines(
        &made("wrapped", &files),
        "auth-runtime/guide/auditing.md",
        WHOLE,
    );
    shown.sort();
    assert_eq!(
        shown,
        [
            r#"./src/lib.rs:#[requires( any(scope = "orders:read", role = "auditor"), schemes(Bearer), )]"#,
            r#"./src/macros.rs:#[$crate::__private::public(reason = "c")]"#,
            r#"./src/macros.rs:#[$runtime::requires(role = "d")]"#,
            r#"./src/texts.rs:#[::auth_runtime::public(reason = "b")]"#,
            r#"./src/texts.rs:#[public(reason = "see [x](y)] and \" )]")]"#,
        ]
    );
}

/// Inherited policies are an exception: they have the one line of their module.
#[test]
fn every_listed_policy_is_shown_whole() {
    let shop = workspace("shop");
    let shown = lines(&shop, AUDITING, WHOLE);
    let listed = policies(&shop, &["list", "--format=json"]);
    let text = |file: &str| std::fs::read_to_string(shop.join(file)).expect("a text");
    let mut number = 0;
    for row in listed {
        let (file, line) = (row["file"].as_str().expect("a file"), row["line"].as_u64());
        let text = text(file);
        let line = text.lines().nth(line.expect("a line") as usize - 1);
        if line.is_some_and(|line| line.contains("#[")) {
            let start = format!("./{file}:{}", line.expect("it").trim());
            let is_whole = |shown: &&String| shown.starts_with(&start) && shown.ends_with(")]");
            assert!(
                shown.iter().any(|shown| is_whole(&shown)),
                "{row}: {shown:#?}"
            );
            number += 1;
        }
    }
    assert!(number > 7, "{number}");
}
