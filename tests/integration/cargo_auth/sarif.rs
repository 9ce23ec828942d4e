//! The output for code scanning. `external/validators.rs` validates it with the schema of the standard.

use serde_json::{Value, json};

use crate::cargo_auth::refused::{MANIFEST, made};
use crate::cargo_auth::{json, run, workspace};

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().expect("results")
}

#[test]
fn sarif_has_findings_and_rules() {
    let careless = workspace("careless");
    let found = json(&careless, &["check", "--format=json"]);
    let found = found.as_array().expect("findings");
    let log = json(&careless, &["check", "--format=sarif"]);
    assert_eq!(results(&log).len(), found.len());
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array();
    let rules = rules.expect("rules");
    for (result, finding) in std::iter::zip(results(&log), found) {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], finding["file"]);
        assert_eq!(place["region"]["startLine"], finding["line"]);
        assert_eq!(result["message"]["text"], finding["message"]);
        assert_eq!(result["level"], "error");
        let rule = rules.iter().find(|rule| rule["id"] == result["ruleId"]);
        let help = rule.expect("a rule")["help"]["markdown"].as_str();
        let code = finding["code"].as_str().expect("a code");
        assert!(help.is_some_and(|help| help.contains(code)), "{code}");
    }
}

#[test]
fn sarif_policies_are_notes() {
    let log = json(&workspace("shop"), &["list", "--format=sarif"]);
    let listed = json(&workspace("shop"), &["list", "--format=json"]);
    let number = |key: &str| listed[key].as_array().expect("a list").len();
    let of_rule = |rule: &'static str| {
        let results = results(&log).iter();
        results.filter(move |result| result["ruleId"] == rule)
    };
    assert_eq!(of_rule("policy").count(), number("policies"));
    assert_eq!(of_rule("unguarded").count(), number("unguarded"));
    assert!(of_rule("policy").all(|result| result["kind"] == "informational"));
    let text = run(&workspace("shop"), &["list"]).text;
    for (result, row) in std::iter::zip(
        of_rule("unguarded"),
        listed["unguarded"].as_array().expect("a list"),
    ) {
        assert_eq!(result["kind"], "review");
        let message = result["message"]["text"].as_str().expect("a text");
        let line = format!("{}:{}: {message}\n", row["file"], row["line"]).replace('"', "");
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(results(&log).iter().all(|result| result["level"] == "none"));
}

/// An incomplete list must not look complete, in this format as in the others.
#[test]
fn sarif_shows_that_it_is_incomplete() {
    let policy = "#[$crate::public(reason = \"x\")] async fn h() {}";
    let source = "mod missing;\nfn unused() -> axum::Router { axum::Router::new().route(\"/\", axum::routing::get(h)) }\n";
    let macros = format!("macro_rules! handlers {{ () => {{ {policy} }} }}\n");
    let sources = [("routes", source), ("list", macros.as_str())];
    let [routes, list] = sources.map(|(command, source)| {
        let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source)];
        json(
            &made(&format!("sarif/{command}"), &files),
            &[command, "--format=sarif"],
        )
    });
    let invocation = &routes["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let reason = "not read: src/lib.rs:1:5: the file of the module `missing` is missing";
    let notifications = json!([{ "level": "error", "message": { "text": reason } }]);
    assert_eq!(invocation["toolExecutionNotifications"], notifications);
    let review = |log: &Value| {
        let of_review = results(log)
            .iter()
            .filter(|result| result["kind"] == "review");
        let of_review = of_review.map(|result| {
            let line = &result["locations"][0]["physicalLocation"]["region"]["startLine"];
            format!("{} {line} {}", result["ruleId"], result["message"]["text"]).replace('"', "")
        });
        of_review.collect::<Vec<_>>()
    };
    assert_eq!(
        review(&routes),
        ["unused-router 2 nothing calls `it::unused`, which makes 1 route"]
    );
    assert_eq!(
        review(&list),
        [
            "macro 1 the macro `handlers` has a policy, which is not listed: #[$crate::public(reason = \\x\\)] async fn h"
        ]
    );
    let invocation = &list["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    for (log, rule) in [(&routes, "unused-router"), (&list, "macro")] {
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array();
        assert!(
            rules.expect("rules").iter().any(|it| it["id"] == rule),
            "{rule}"
        );
    }
}

/// Code scanning must not show less than the list.
#[test]
fn sarif_policies_show_mistakes_and_conditions() {
    let careless = workspace("careless");
    let listed = json(&careless, &["list", "--format=json"]);
    let log = json(&careless, &["list", "--format=sarif"]);
    let rows = listed["policies"].as_array().expect("policies");
    assert!(rows.iter().any(|row| row["mistaken"] == true));
    assert!(rows.iter().any(|row| row["cfg"].is_string()));
    for (row, result) in std::iter::zip(rows, results(&log)) {
        let text = result["message"]["text"].as_str().expect("a text");
        let (kind, note) = match row["mistaken"] == true {
            true => ("review", " (invalid: see `cargo auth check`)"),
            false => ("informational", ""),
        };
        let [path, policy] = ["path", "policy"].map(|key| row[key].as_str().expect("a text"));
        let condition = row["cfg"].as_str().map(|cfg| format!(" if {cfg}"));
        let condition = condition.unwrap_or_default();
        assert_eq!(text, format!("{path}: {policy}{condition}{note}"));
        assert_eq!(result["kind"], kind, "{row}");
    }
}

#[test]
fn unguarded_routes_are_in_every_format() {
    let careless = workspace("careless");
    let found = json(&careless, &["check", "--format=json"]);
    let found = found.as_array().expect("findings").iter();
    let place = |row: &Value| json!([row["file"], row["line"], row["column"]]);
    let found = found.filter(|finding| finding["code"] == "AUTH0101");
    let expected: Vec<_> = found.map(place).collect();
    let listed = json(&careless, &["list", "--format=json"]);
    let listed = listed["without_policy"].as_array().expect("routes");
    assert_eq!(listed.iter().map(place).collect::<Vec<_>>(), expected);
    assert!(
        listed.iter().any(|row| row["target"] == "bare"),
        "{listed:?}"
    );
    let log = json(&careless, &["list", "--format=sarif"]);
    let results = results(&log).iter();
    let results = results.filter(|result| result["ruleId"] == "without-policy");
    let results: Vec<_> = results.collect();
    let places = results.iter().map(|result| {
        let place = &result["locations"][0]["physicalLocation"];
        let (file, region) = (&place["artifactLocation"]["uri"], &place["region"]);
        json!([file, region["startLine"], region["startColumn"]])
    });
    assert_eq!(places.collect::<Vec<_>>(), expected);
    assert!(results.iter().all(|result| result["kind"] == "review"));
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array();
    let mut rules = rules.expect("rules").iter();
    assert!(rules.any(|rule| rule["id"] == "without-policy"));
}
