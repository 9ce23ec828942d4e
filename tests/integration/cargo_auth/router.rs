//! The policies in the sources and in the routers are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use auth_grammar::errors::Errors;
use auth_grammar::requirement::ParsedPolicy;
use auth_grammar::vocabulary::{self, LoadedVocabulary};
use auth_grammar::{args, lower};
use auth_runtime_policy::Policy;
use auth_runtime_policy::compare::compare;

use crate::cargo_auth::{built, json, root};

/// Returns the policies of the sources below a folder, by the paths of their handlers.
fn listed(package: &str, file: &str) -> BTreeMap<String, String> {
    let listed = json(root(), &["list", "--format=json", "-p", package]);
    let listed = listed["policies"].as_array().expect("policies").iter();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    listed
        .filter(|row| text(&row["file"]).starts_with(file))
        .map(|row| (text(&row["path"]), text(&row["policy"])))
        .collect()
}

/// Returns the table that a program prints, without the paths.
fn table(program: &str) -> BTreeMap<String, String> {
    let output = Command::new(built(program))
        .arg("--table")
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).expect("text");
    let (head, rows) = text.split_once('\n').expect("a head");
    let [policies, denials, handlers, sources] =
        ["POLICY", "DENIALS", "HANDLER", "SOURCE"].map(|it| head.find(it).expect("it"));
    rows.lines()
        .map(|row| {
            let column = |from, to| row[from..to].trim().to_owned();
            (column(handlers, sources), column(policies, denials))
        })
        .collect()
}

#[test]
fn list_matches_the_table() {
    let quickstart = listed("auth-quickstart", "examples/quickstart/");
    assert_eq!(quickstart.len(), 4);
    assert_eq!(quickstart, table("quickstart"));
}

#[test]
fn list_matches_the_table_with_modules() {
    let forge = listed("auth-forge", "examples/forge/");
    assert!(forge.values().any(|policy| policy.contains("policy = ")));
    assert_eq!(forge, table("forge"));
}

/// In a clone, the sources of `GuardedRouter` are in the workspace as well.
#[test]
fn routes_match_the_table() {
    for (package, program) in [("auth-quickstart", "quickstart"), ("auth-forge", "forge")] {
        let found = json(root(), &["routes", "--format=json", "-p", package]);
        let routes = found["routes"].as_array().expect("routes").iter();
        let policies = routes.filter_map(|route| {
            let checks = route["checks"].as_array()?;
            let policy = checks.iter().find(|check| check["kind"] == "policy")?;
            policy["text"].as_str().map(str::to_owned)
        });
        let policies: BTreeSet<String> = policies.collect();
        let expected: BTreeSet<String> = table(program).into_values().collect();
        assert_eq!(policies, expected, "{package}");
    }
}

/// Returns the forge's lock, which its own test compares with its router. The policies of modules
/// are merged in it, and names of the vocabulary are written out.
fn lock() -> BTreeMap<String, String> {
    let lock = root().join("examples/forge/access.lock");
    let lock = std::fs::read_to_string(lock).expect("the lock");
    let rows = lock.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let (rest, handler) = row.rsplit_once("  ").expect("a handler");
        let policy = ["  requires(", "  public("];
        let at = policy.iter().find_map(|start| rest.find(start));
        (
            handler.to_owned(),
            rest[at.expect("a policy") + 2..].to_owned(),
        )
    })
    .collect()
}

fn read(policy: &str, found: &LoadedVocabulary) -> Policy {
    let (attribute, arguments) = policy.split_once('(').expect("an attribute");
    let arguments = arguments.strip_suffix(')').expect("an end").parse();
    let arguments = arguments.expect("tokens");
    let mut errors = Errors::default();
    lower::policy(&match attribute {
        "public" => ParsedPolicy::Public(args::public(arguments, &mut errors)),
        _ => ParsedPolicy::Requires(Box::new(auth_grammar::requires(
            arguments,
            Some(found),
            &mut errors,
        ))),
    })
}

#[test]
fn list_matches_the_lock() {
    let found = vocabulary::find(&root().join("examples/forge")).expect("a vocabulary");
    let (listed, lock) = (listed("auth-forge", "examples/forge/"), lock());
    assert!(lock.len() > 50, "{lock:#?}");
    let names = |policies: &BTreeMap<String, String>| policies.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&listed), names(&lock));
    assert!(listed.values().any(|policy| policy.contains(", loosen = ")));
    for (handler, policy) in &listed {
        let [one, other] = [policy, &lock[handler]].map(|policy| read(policy, &found));
        let comparison = compare(&one, &other);
        assert_eq!(
            comparison.impact(),
            None,
            "{handler}: {policy}: {comparison:?}"
        );
    }
}
