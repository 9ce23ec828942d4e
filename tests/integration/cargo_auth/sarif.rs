//! The output for code scanning. `external/validators.rs` validates it with the schema of the standard.

use serde_json::Value;

use crate::cargo_auth::{json, workspace};

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
    for (result, row) in std::iter::zip(
        of_rule("unguarded"),
        listed["unguarded"].as_array().expect("a list"),
    ) {
        assert_eq!(result["kind"], "review");
        assert_eq!(result["message"]["text"], row["reason"]);
    }
    assert!(results(&log).iter().all(|result| result["level"] == "none"));
}
