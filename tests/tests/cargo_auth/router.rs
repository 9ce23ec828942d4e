//! What is read from the sources, and what the router itself tells, are the same.

use std::process::Command;

use crate::{json, root};

/// The handlers and policies of the table that the quickstart prints, but for the paths.
fn table() -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example=quickstart", "--", "--table"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).expect("text");
    let (head, rows) = text.split_once('\n').expect("a head");
    let [policies, denials, handlers, sources] =
        ["WHO MAY CALL", "DENIALS", "HANDLER", "SOURCE"].map(|it| head.find(it).expect("it"));
    let mut rows: Vec<_> = rows
        .lines()
        .map(|row| {
            let column = |from, to| row[from..to].trim().to_owned();
            (column(handlers, sources), column(policies, denials))
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn the_list_says_what_the_table_of_the_router_says() {
    let listed = json(root(), &["list", "--format=json", "-p=auth-examples"]);
    let listed = listed["policies"].as_array().expect("policies").iter();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let mut listed: Vec<_> = listed
        .filter(|row| row["file"] == "examples/quickstart.rs")
        .map(|row| (text(&row["path"]), text(&row["policy"])))
        .collect();
    listed.sort();
    assert_eq!(listed.len(), 4);
    assert_eq!(listed, table());
}
