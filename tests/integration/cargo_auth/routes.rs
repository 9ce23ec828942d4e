//! `cargo auth routes`, on a service without access policies.

use std::fmt::Write as _;

use crate::cargo_auth::{expect, json, run, workspace};

#[test]
fn checks_of_plain_routers_are_listed() {
    let plain = workspace("plain");
    let text = run(&plain, &["routes"]);
    assert_eq!((text.status, text.errors.as_str()), (0, ""));
    expect(&text.text, "plain.routes");
    let document = run(&plain, &["routes", "--format=json"]);
    expect(&document.text, "plain.routes.json");
}

#[test]
fn policies_are_checks() {
    let found = json(&workspace("shop"), &["routes", "--format=json"]);
    let routes = found["routes"].as_array().expect("routes");
    assert!(!routes.is_empty());
    for route in routes {
        assert_eq!(route["checks"][0]["kind"], "policy", "{route}");
    }
}

#[test]
fn a_place_is_one_result() {
    let log = json(&workspace("plain"), &["routes", "--format=sarif"]);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let mut places: Vec<_> = results
        .iter()
        .map(|result| result["locations"].to_string())
        .collect();
    let all = places.len();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), all);
    let open = results
        .iter()
        .filter(|result| result["ruleId"] == "route-without-check");
    assert_eq!(open.count(), 4);
}

#[test]
fn a_missing_file_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("src")).expect("a folder");
    let manifest = "[workspace]\n[package]\nname = \"plain\"\nedition = \"2024\"\n";
    std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("a file");
    let mut main = "mod generated;\nuse axum::{Router, routing::get};\n".to_owned();
    main.push_str("fn main() { serve(Router::new()");
    for index in 0..300 {
        write!(main, ".route(\"/{index}\", get(handler))").expect("a text");
    }
    main.push_str("); }\nasync fn handler() {}\n");
    std::fs::write(folder.path().join("src/main.rs"), main).expect("a file");
    let found = json(folder.path(), &["routes", "--format=json"]);
    assert_eq!(found["routes"].as_array().map(Vec::len), Some(300));
    let unread = "src/main.rs:1:5: the file of the module `generated` is missing";
    assert_eq!(found["unread"][0], unread);
    let listed = run(folder.path(), &["list"]);
    assert_eq!(listed.errors, format!("error: {unread}\n"));
}
