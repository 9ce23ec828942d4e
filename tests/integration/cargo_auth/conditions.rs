//! Code that is built under a condition, and the beginnings of files.

use crate::cargo_auth::json;
use crate::cargo_auth::refused::{MANIFEST, made};

/// Returns the lines of the listed policies, and the lines and codes of the findings.
fn read(name: &str, source: &str) -> (Vec<u64>, Vec<String>) {
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source)];
    let folder = made(&format!("conditions/{name}"), &files);
    let listed = json(&folder, &["list", "--format=json"]);
    let found = json(&folder, &["check", "--format=json"]);
    let listed = listed["policies"].as_array().expect("policies").iter();
    let found = found.as_array().expect("findings").iter();
    (
        listed
            .map(|it| it["line"].as_u64().expect("a line"))
            .collect(),
        found
            .map(|it| format!("{} {}", it["line"], it["code"]).replace('"', ""))
            .collect(),
    )
}

/// Only code that nothing but tests can contain is left out.
#[test]
fn code_beside_tests_is_read() {
    for (condition, is_read) in [
        ("test", false),
        ("all(test, unix)", false),
        ("all(unix, all(test))", false),
        ("any(test, feature = \"demo\")", true),
        ("all(any(test, unix), feature = \"demo\")", true),
        ("not(test)", true),
        ("all(not(test), unix)", true),
        ("feature = \"test\"", true),
    ] {
        let handler = "#[auth_runtime::requires(authenticated)] pub async fn h() {}";
        let route = "fn f() { axum::routing::get(bare); }";
        let source = format!(
            "async fn bare() {{}}\n\
             #[cfg({condition})] {handler}\n\
             #[cfg({condition})] mod m {{ {handler} }}\n\
             mod file {{ #![cfg({condition})] {handler} }}\n\
             #[cfg({condition})] {route}\n"
        );
        let (listed, found) = read("tests", &source);
        if is_read {
            assert_eq!(listed, [2, 3, 4], "{condition}");
            assert_eq!(found, ["5 AUTH0101"], "{condition}");
        } else {
            assert_eq!(listed, [0_u64; 0], "{condition}");
            assert_eq!(found, Vec::<String>::new(), "{condition}");
        }
    }
}

#[test]
fn policies_beside_tests_are_conditional() {
    for (condition, number) in [
        ("test", 0),
        ("not(test)", 1),
        ("any(test, unix)", 1),
        ("feature = \"test\"", 1),
    ] {
        let source = format!(
            "#[cfg_attr({condition}, auth_runtime::public(reason = \"a page\"))] async fn h() {{}}\n"
        );
        let (listed, found) = read("attributes", &source);
        assert_eq!(listed.len(), number, "{condition}");
        let expected = vec!["1 AUTH0041".to_owned(); number];
        assert_eq!(found, expected, "{condition}");
    }
}

/// A mark or a line before the code moves no attribute.
#[test]
fn attributes_after_file_beginnings_are_read() {
    let plain = "#[auth_runtime::requires(authenticated)] async fn h() {}\n";
    let odd = "#[ auth_runtime::requires(authenticated)] async fn h() {}\n";
    let beginnings = [
        ("none", ""),
        ("mark", "\u{feff}"),
        ("shebang", "#!/usr/bin/env run-cargo-script\n"),
        ("both", "\u{feff}#!/usr/bin/env run-cargo-script\n"),
        ("letters", "// Größe und Maß ✓\n"),
    ];
    for (name, beginning) in beginnings {
        let (listed, found) = read(name, &format!("{beginning}{plain}"));
        assert_eq!((listed.len(), found.len()), (1, 0), "{name}: {found:?}");
        let (listed, found) = read(name, &format!("{beginning}{odd}"));
        assert_eq!((listed.len(), found.len()), (1, 1), "{name}: {found:?}");
    }
}
