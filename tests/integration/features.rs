//! Features add names, and change nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The features of a package of the workspace, by name, with the features that they enable.
fn features(package: &str) -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|own| own["name"] == package);
    let features = package.expect("the package")["features"].as_object();
    let text = |name: &Value| name.as_str().expect("a name").to_owned();
    features
        .expect("features")
        .iter()
        .map(|(name, enabled)| {
            let enabled = enabled.as_array().expect("a list");
            (name.clone(), enabled.iter().map(text).collect())
        })
        .collect()
}

/// The test of the behaviour compares the fewest features with all of these.
#[test]
fn compared_features_are_all() {
    let all: BTreeSet<String> = features("auth-runtime")
        .into_iter()
        .map(|(name, _)| format!("auth-runtime/{name}"))
        .filter(|name| name != "auth-runtime/default")
        .collect();
    let compared = features("auth-features");
    let (_, compared) = compared
        .iter()
        .find(|(name, _)| name == "all")
        .expect("all");
    assert_eq!(BTreeSet::from_iter(compared.iter().cloned()), all);
}

/// The lists of features that `.ci/run` checks for a package, one for each command.
fn checked(package: &str) -> BTreeSet<String> {
    let run = include_str!("../../.ci/run");
    let (lists, _) = run
        .lines()
        .zip(run.lines().skip(1))
        .filter(|(_, command)| command.contains(&format!(" clippy -p {package} ")))
        .find_map(|(lists, _)| lists.strip_prefix("for features in ")?.split_once(';'))
        .expect("a loop over features");
    lists.split(' ').map(str::to_owned).collect()
}

/// The adapter depends on the features of the core, so these are checked together with it.
#[test]
fn features_are_checked_apart() {
    let names = |package| features(package).into_iter().map(|(name, _)| name);
    let of_core: BTreeSet<String> = names("auth-runtime-core").collect();
    // The steps with development dependencies have the feature `testing`.
    let of_runtime = names("auth-runtime")
        .filter(|name| !["default", "testing"].contains(&name.as_str()))
        .map(|name| {
            if of_core.contains(&name) {
                format!("axum,{name}")
            } else {
                name
            }
        });
    let of_audit = names("auth-runtime-audit");
    for (lists, package) in [
        (BTreeSet::from_iter(of_runtime), "auth-runtime"),
        (BTreeSet::from_iter(of_audit), "auth-runtime-audit"),
    ] {
        let missing: Vec<_> = lists.difference(&checked(package)).cloned().collect();
        assert_eq!(missing, [""; 0], "{package}");
    }
}

/// The documentation of `auth-runtime` takes its list from the comments in the manifest.
#[test]
fn documentation_names_every_feature() {
    let features_of = |package: &str| {
        let features = features(package).into_iter().map(|(name, _)| name);
        features.filter(|name| name != "default").collect()
    };
    let manifest = include_str!("../../auth-runtime/Cargo.toml");
    let described: BTreeSet<String> = manifest
        .lines()
        .zip(manifest.lines().skip(1))
        .filter(|(comment, _)| comment.starts_with("## "))
        .filter_map(|(_, feature)| Some(feature.split_once(" = ")?.0.to_owned()))
        .collect();
    assert_eq!(described, features_of("auth-runtime"));
    let readme = include_str!("../../auth-runtime/audit/README.md");
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: BTreeSet<String> = rows
        .filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect();
    assert_eq!(rows, features_of("auth-runtime-audit"));
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the conditions within public traits and enums of a formatted source, each with its line.
fn conditional_parts(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut end = None;
    for (number, line) in std::iter::zip(1.., source.lines()) {
        let item = line.trim_start();
        let is_shape = item.starts_with("pub trait ") || item.starts_with("pub enum ");
        if is_shape && !line.ends_with('}') {
            end = Some(format!("{}}}", &line[..line.len() - item.len()]));
        } else if end.as_deref() == Some(line) {
            end = None;
        } else if end.is_some() && item.starts_with("#[cfg") && item.contains("feature") {
            found.push((number, item));
        }
    }
    found
}

#[test]
fn public_traits_keep_their_shape() {
    let source = "pub enum E {\n    A,\n    #[cfg(feature = \"b\")]\n    B,\n}\n#[cfg(feature = \"c\")]\nfn c() {}\n";
    assert_eq!(conditional_parts(source), [(3, "#[cfg(feature = \"b\")]")]);
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../auth-runtime");
    let mut files = Vec::new();
    sources(&runtime, &mut files);
    assert!(files.len() > 100, "{files:?}");
    for file in files {
        let source = fs::read_to_string(&file).expect("a source");
        let found = conditional_parts(&source);
        assert!(found.is_empty(), "{}: {found:?}", file.display());
    }
}
