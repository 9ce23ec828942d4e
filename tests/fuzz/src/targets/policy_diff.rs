//! The differences between the policies of two packages, as `cargo auth diff` reports them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::package::{Package, files, on_large_stack};
use crate::cargo_auth::diff::{PolicySet, rows};
use crate::cargo_auth::report::Failure;
use crate::cargo_auth::sources;
use crate::cargo_auth::workspace::Workspace;
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "policy_diff",
    cost: 50,
    dictionary: &[
        "=== src/lib.rs\n",
        "<<< src/lib.rs\n",
        ">>> src/lib.rs\n",
        "=== src/admin.rs\n",
        "<<< src/admin.rs\n",
        ">>> src/admin.rs\n",
        "<<< auth.toml\n",
        ">>> auth.toml\n",
        "mod admin;\n",
        "mod m {\n",
        "}\n",
        "#[requires(",
        "role = \"admin\"",
        "role = \"auditor\"",
        "scope = \"orders:read\"",
        "scope = \"orders:write\"",
        "network = \"10.0.0.0/8\"",
        "any(",
        "all(",
        "hide_as = 404",
        "hide_unless = role(\"auditor\")",
        "loosen = \"x\"",
        "realm = \"r\"",
        "schemes(Bearer)",
        ")]\n",
        ", ",
        "#[public(reason = \"x\")]\n",
        "#[public(reason = \"x\", identity = optional)]\n",
        "#[cfg(unix)]\n",
        "async fn f() {}\n",
        "async fn g() {}\n",
        "struct Files;\n",
        "fn app() { axum::routing::get(f); }\n",
        "// unguarded: x\n",
        "g.merge_unguarded(\"x\", &[\"/\"], r)",
        "implies = [\"orders:read\"]",
    ],
    start,
};

/// The maximum length of an input, as for the sources of one package.
const MAX_LENGTH: usize = 4096;

fn start() -> Check {
    let packages = [Package::new(), Package::new()];
    Box::new(move |input| {
        if input.len() > MAX_LENGTH {
            return Outcome::of("too long");
        }
        let [before, after] = files(input);
        on_large_stack(|| {
            let [one, other] = &packages;
            let (one, other) = (one.write(&before), other.write(&after));
            let are_same = before == after;
            match (policies(&one), policies(&other)) {
                (Ok(before), Ok(after)) => check(&before, &after, are_same),
                (Err(failure), _) | (_, Err(failure)) => Outcome::of_messages([failure]),
            }
        })
    })
}

/// Reads the policies of a package.
pub(super) fn policies(workspace: &Workspace) -> Result<PolicySet, String> {
    let sources = sources::read(workspace);
    let sources = sources.map_err(|failure: Failure| failure.to_string())?;
    Ok(PolicySet::of(sources))
}

/// The order of the changes.
const CHANGES: [&str; 7] = [
    "loosened",
    "added",
    "changed",
    "moved",
    "tightened",
    "removed",
    "restated",
];

const INVALID: &str = "an attribute is invalid, so the policies cannot be compared";
const CONDITION: &str = "its build condition differs";
const BARE: &str = "the handler still exists, without a policy";

fn differences(before: &PolicySet, after: &PolicySet) -> Vec<Value> {
    let rows = serde_json::to_value(rows(before, after)).expect("JSON");
    let rows = rows.as_array().expect("rows").clone();
    let place = |row: &Value| CHANGES.iter().position(|change| row["change"] == *change);
    assert!(rows.is_sorted_by_key(place), "{rows:?}");
    for row in &rows {
        assert!(place(row).is_some(), "{row}");
        let sides = (row["before"].is_null(), row["after"].is_null());
        match row["change"].as_str() {
            Some("added") => assert_eq!(sides, (true, false), "{row}"),
            Some("removed") => assert_eq!(sides, (false, true), "{row}"),
            // Of these, the other side may be without a policy.
            Some("loosened" | "changed") => assert_ne!(sides, (true, true), "{row}"),
            _ => assert_eq!(sides, (false, false), "{row}"),
        }
    }
    rows
}

fn has_reason(row: &Value, reason: &str) -> bool {
    let reasons = row["why"].as_array().into_iter().flatten();
    reasons.into_iter().any(|it| it == reason)
}

/// Checks the differences of two sets of policies.
pub(super) fn check(before: &PolicySet, after: &PolicySet, are_same: bool) -> Outcome {
    for set in [before, after] {
        // Only an attribute with a mistake differs from itself.
        for row in differences(set, set) {
            assert!(
                row["change"] == "changed" && has_reason(&row, INVALID),
                "{row}"
            );
        }
    }
    let forwards = differences(before, after);
    let backwards = differences(after, before);
    let is_certain = |row: &&Value| !has_reason(row, INVALID);
    let certain: Vec<_> = forwards.iter().filter(is_certain).collect();
    assert!(!are_same || certain.is_empty(), "{certain:?}");
    // Of several policies at a path, each present one is compared with all former ones.
    let is_alone = |row: &&Value| {
        let is_other = |it: &&Value| it["path"].is_string() && it["path"] == row["path"];
        let number = |rows: &[Value]| rows.iter().filter(is_other).count();
        number(&forwards) < 2 && number(&backwards) < 2
    };
    let mut expected: Vec<_> = backwards.iter().filter(is_alone).map(reversed).collect();
    let mut found: Vec<_> = forwards.iter().filter(is_alone).map(described).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "the reverse");
    let shapes = forwards.iter().map(|row| {
        let public = ["before", "after"].map(|side| {
            let policy = row[side].as_str().unwrap_or_default();
            policy.split('(').next().unwrap_or_default().len()
        });
        (row["change"].to_string(), row["why"].to_string(), public)
    });
    Outcome::of(shapes.collect::<BTreeSet<_>>())
}

/// The change, the path, and the policies before and after.
type Described = (String, String, [String; 2]);

fn described(row: &Value) -> Described {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let change = match text("change").as_str() {
        // The policy is removed, and the handler is not.
        "loosened" if has_reason(row, BARE) => "removed".to_owned(),
        // With another condition, a policy is at least changed.
        "loosened" if has_reason(row, CONDITION) => "changed".to_owned(),
        change => change.to_owned(),
    };
    let subject = format!("{}{}", text("path"), text("target"));
    (change, subject, ["before", "after"].map(text))
}

/// Returns the description of a change from the present to the former policies.
fn reversed(row: &Value) -> Described {
    let (change, path, [before, after]) = described(row);
    let change = match change.as_str() {
        "loosened" => "tightened",
        "tightened" => "loosened",
        "added" => "removed",
        "removed" => "added",
        same => same,
    };
    (change.to_owned(), path, [after, before])
}
