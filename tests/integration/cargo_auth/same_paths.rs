//! Changes of policies that share their path, or that have another condition.

use serde_json::Value;

use crate::cargo_auth::diff::{commit, git};
use crate::cargo_auth::json;
use crate::cargo_auth::refused::made;
use crate::cargo_auth::revisions::{changes, crate_with};

const OPEN: &str = "#[auth_runtime::public(reason = \"demo\")]\npub async fn h() {}\n";
const CLOSED: &str = "#[auth_runtime::requires(role = \"admin\")]\npub async fn h() {}\n";

/// The present policy may replace any of the former ones.
#[test]
fn conditional_policies_are_compared_together() {
    let demo = "#[cfg(feature = \"demo\")]\n";
    let others = "#[cfg(not(feature = \"demo\"))]\n";
    let both = format!("{demo}{OPEN}{others}{CLOSED}");
    for (name, before, after, expected) in [
        (
            "opened",
            both.clone(),
            OPEN.to_owned(),
            &["loosened it::h"][..],
        ),
        (
            "split",
            CLOSED.to_owned(),
            both.clone(),
            &["loosened it::h", "changed it::h"],
        ),
        (
            "swapped_lines",
            both.clone(),
            format!("{others}{CLOSED}{demo}{OPEN}"),
            &[],
        ),
        (
            "removed",
            both.clone(),
            format!("{demo}{OPEN}"),
            &["removed it::h"],
        ),
        (
            "added",
            format!("{others}{CLOSED}"),
            both.clone(),
            &["added it::h"],
        ),
        (
            "all_renamed",
            both.clone(),
            both.replace("demo\")", "show\")"),
            &["loosened it::h", "changed it::h"],
        ),
        (
            "bare_beside_another",
            format!("#[cfg(a)]\n{CLOSED}"),
            format!("#[cfg(b)]\n{CLOSED}#[cfg(not(b))]\npub async fn h() {{}}\n"),
            &["loosened it::h", "changed it::h"],
        ),
    ] {
        let folder = crate_with(name, &before, &after);
        assert_eq!(changes(&folder, &[]), expected, "{name}");
    }
}

/// Another condition leaves it unknown who is allowed, but adds no certainty.
#[test]
fn another_condition_hides_no_loosened_policy() {
    let folder = crate_with("opened", CLOSED, &format!("#[cfg(not(windows))]\n{OPEN}"));
    let rows = json(&folder, &["diff", "--format=json", "HEAD"]);
    assert_eq!(rows[0]["change"], "loosened");
    let why = [
        "more callers are allowed",
        "the reason differs",
        "its build condition differs",
    ];
    assert_eq!(rows[0]["why"], Value::from(why.to_vec()));
    let folder = crate_with("closed", OPEN, &format!("#[cfg(not(windows))]\n{CLOSED}"));
    assert_eq!(changes(&folder, &[]), ["changed it::h"]);
}

/// The handler has no policy, whatever the invalid one was.
#[test]
fn invalid_policy_is_lost_as_well() {
    let invalid = CLOSED.replace("role = \"admin\"", "role = \"admin\", relam = \"x\"");
    for (name, before, after, expected) in [
        (
            "lost",
            invalid.as_str(),
            "pub async fn h() {}\n",
            "loosened it::h",
        ),
        ("removed", &invalid, "", "removed it::h"),
        ("added", "", &invalid, "added it::h"),
    ] {
        let folder = crate_with(name, before, after);
        assert_eq!(changes(&folder, &[]), [expected], "{name}");
    }
}

/// Each service of a workspace may have a program `server`.
#[test]
fn namesake_programs_differ_by_package() {
    let manifest = |name: &str| {
        format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n[[bin]]\nname = \"server\"\n\
             path = \"src/main.rs\"\n[dependencies]\nauth-runtime = \"0.1\"\n"
        )
    };
    let workspace = "[workspace]\nmembers = [\"a\", \"b\"]\nresolver = \"3\"\n";
    let [a, b] = ["a", "b"].map(manifest);
    let source = |handler: &str| format!("{handler}fn main() {{}}\n");
    let files = [
        ("Cargo.toml", workspace),
        ("a/Cargo.toml", &a),
        ("a/src/main.rs", &source(OPEN)),
        ("b/Cargo.toml", &b),
        ("b/src/main.rs", &source(CLOSED)),
    ];
    let folder = made("server", &files);
    git(&folder, &["init", "--quiet"]);
    commit(&folder);
    std::fs::write(folder.join("a/src/main.rs"), source("")).expect("a file");
    std::fs::write(folder.join("b/src/main.rs"), source(OPEN)).expect("a file");
    assert_eq!(
        changes(&folder, &[]),
        ["loosened server::h", "removed server::h"]
    );
}

/// An example may have the name of a program of its package.
#[test]
fn programs_of_one_package_are_compared() {
    let source = |handler: &str| format!("{handler}fn main() {{}}\n");
    let files = [
        ("Cargo.toml", crate::cargo_auth::refused::MANIFEST),
        ("examples/server.rs", &source(OPEN)),
        ("src/bin/server.rs", &source(CLOSED)),
    ];
    let folder = made("server", &files);
    git(&folder, &["init", "--quiet"]);
    commit(&folder);
    assert_eq!(changes(&folder, &[]), [""; 0]);
    let stricter = CLOSED.replace("role = \"admin\"", "role = \"admin\", role = \"b\"");
    for (name, example, program, expected) in [
        (
            "exchanged",
            CLOSED,
            OPEN,
            &["loosened server::h", "tightened server::h"][..],
        ),
        ("tightened", OPEN, &stricter, &["tightened server::h"]),
        (
            "removed",
            "",
            OPEN,
            &["loosened server::h", "removed server::h"],
        ),
    ] {
        std::fs::write(folder.join("examples/server.rs"), source(example)).expect("a file");
        std::fs::write(folder.join("src/bin/server.rs"), source(program)).expect("a file");
        assert_eq!(changes(&folder, &[]), expected, "{name}");
    }
}
