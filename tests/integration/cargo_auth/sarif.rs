//! The output for code scanning, validated with the schema of the standard.

use jsonschema::Validator;
use serde_json::Value;

use crate::cargo_auth::{here, json, workspace};

/// The schema has a surplus bracket, which most regular expression parsers reject.
const SLIP: &str = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";
const MEANT: &str = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$";

fn schema() -> Validator {
    let text = std::fs::read_to_string(here().join("cargo_auth/sarif-schema-2.1.0.json"));
    let text = text.expect("the schema").replace(SLIP, MEANT);
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().expect("results")
}

#[test]
fn sarif_follows_its_schema() {
    let schema = schema();
    for (name, command) in [
        ("shop", "list"),
        ("shop", "check"),
        ("careless", "list"),
        ("careless", "check"),
        ("plain", "routes"),
    ] {
        let log = json(&workspace(name), &[command, "--format=sarif"]);
        let errors: Vec<_> = schema.iter_errors(&log).map(|it| it.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name} {command}");
    }
    // The schema can reject a document.
    let mut log = json(&workspace("careless"), &["check", "--format=sarif"]);
    log["runs"][0]["results"][0]["message"] = Value::Null;
    assert!(!schema.is_valid(&log));
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
