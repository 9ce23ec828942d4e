//! The manifests of the published packages, and the Rust versions of their dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::imports::read;

pub(crate) fn array(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Returns the metadata of the workspace, with the dependencies that this platform needs. The package
/// of these tests enables the optional ones.
pub(crate) fn metadata() -> &'static Value {
    static METADATA: OnceLock<Value> = OnceLock::new();

    METADATA.get_or_init(|| {
        let cargo = |arguments: &[&str]| {
            let output = Command::new(env!("CARGO"))
                .args(arguments)
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .output()
                .expect("cargo runs");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
            String::from_utf8(output.stdout).expect("UTF-8")
        };
        let version = cargo(&["--version", "--verbose"]);
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let platform = format!("--filter-platform={}", host.expect("a host"));
        let arguments = ["metadata", "--offline", "--format-version=1", &platform];
        serde_json::from_str(&cargo(&arguments)).expect("JSON")
    })
}

/// Returns the packages by their identifiers.
fn packages() -> BTreeMap<&'static str, &'static Value> {
    let packages = array(&metadata()["packages"]).iter();
    packages.map(|it| (text(&it["id"]), it)).collect()
}

/// Returns the packages of the workspace that can be published.
pub(crate) fn published() -> Vec<&'static Value> {
    let packages = packages().into_values();
    packages
        .filter(|it| it["source"].is_null() && it["publish"].is_null())
        .collect()
}

/// Returns the identifiers of a package's dependencies, without those of its tests.
fn dependencies(node: &'static Value) -> impl Iterator<Item = &'static str> {
    let is_built = |it: &&Value| array(&it["dep_kinds"]).iter().any(|it| it["kind"] != "dev");
    let dependencies = array(&node["deps"]).iter().filter(is_built);
    dependencies.map(|it| text(&it["pkg"]))
}

/// Returns major and minor version.
fn rust_version(package: &Value) -> Option<(u64, u64)> {
    let mut numbers = package["rust_version"].as_str()?.split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some((number()?, number()?))
}

#[test]
fn manifests_are_complete() {
    for package in published() {
        let name = text(&package["name"]);
        let folder = Path::new(text(&package["manifest_path"])).parent();
        let folder = folder.expect("a folder");
        assert!(!text(&package["description"]).is_empty(), "{name}");
        let documentation = format!("https://docs.rs/{name}");
        assert_eq!(text(&package["documentation"]), documentation, "{name}");
        assert_eq!(text(&package["license"]), "MIT OR Apache-2.0", "{name}");
        assert!(
            (1..=5).contains(&array(&package["keywords"]).len()),
            "{name}"
        );
        assert!(
            (1..=5).contains(&array(&package["categories"]).len()),
            "{name}"
        );
        let docs = &package["metadata"]["docs"]["rs"];
        assert_eq!(docs["all-features"], true, "{name}");
        assert_eq!(docs["rustdoc-args"].to_string(), r#"["--cfg","docsrs"]"#);
        let files = ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md"];
        for file in files.into_iter().chain([text(&package["readme"])]) {
            // A link to a file that exists.
            assert!(folder.join(file).is_file(), "{name}: {file}");
        }
    }
}

/// Returns the targets of the links in a Markdown text.
fn links(markdown: &str) -> impl Iterator<Item = &str> {
    let targets = markdown.split("](").skip(1);
    targets.filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// A registry shows the README of a package alone. It resolves relative links against the folder of the package.
#[test]
fn readmes_link_to_their_package_files() {
    for package in published() {
        let manifest = Path::new(text(&package["manifest_path"]));
        let folder = manifest.parent().expect("a folder");
        let readme = folder.join(text(&package["readme"]));
        let readme = std::fs::read_to_string(readme).expect("a README");
        for link in links(&readme).filter(|link| !link.starts_with("https://")) {
            let is_inside = !link.split('/').any(|part| part == "..");
            let name = text(&package["name"]);
            assert!(is_inside && folder.join(link).is_file(), "{name}: {link}");
        }
    }
}

/// A dependency by path alone is removed from a published manifest.
#[test]
fn path_dependencies_have_a_version() {
    for package in published() {
        for dependency in array(&package["dependencies"]) {
            let has_version = dependency["req"] != "*" || dependency["kind"] == "dev";
            let name = &dependency["name"];
            assert!(has_version, "{}: {name}", package["name"]);
        }
    }
}

#[test]
fn dependencies_ask_for_no_newer_rust() {
    let packages = packages();
    let nodes = array(&metadata()["resolve"]["nodes"]).iter();
    let nodes: BTreeMap<&str, &Value> = nodes.map(|it| (text(&it["id"]), it)).collect();
    let mut left: Vec<&str> = published().iter().map(|it| text(&it["id"])).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = left.pop() {
        if seen.insert(id) {
            left.extend(dependencies(nodes[id]));
        }
    }
    let names: BTreeSet<&str> = seen.iter().map(|id| text(&packages[id]["name"])).collect();
    for optional in ["redis", "jsonwebtoken", "reqwest", "argon2"] {
        assert!(names.contains(optional), "{optional} is not compared");
    }
    let ours = published().iter().filter_map(|it| rust_version(it)).min();
    let ours = ours.expect("a version");
    let newer: Vec<String> = seen
        .iter()
        .map(|id| packages[id])
        .filter(|it| rust_version(it).is_some_and(|version| version > ours))
        .map(|it| format!("{} {}: {}", it["name"], it["version"], it["rust_version"]))
        .collect();
    assert!(newer.is_empty(), "`cargo update` may help: {newer:#?}");
}

#[test]
fn readme_names_the_rust_version() {
    let readme = include_str!("../../README.md");
    let contributing = include_str!("../../CONTRIBUTING.md");
    for package in published() {
        let (major, minor) = rust_version(package).expect("a version");
        assert!(readme.contains(&format!("Rust {major}.{minor} or newer")));
        assert!(contributing.contains(&format!("`cargo +{major}.{minor} check ")));
    }
}

/// Returns the numbers that versions have in common if they are compatible.
fn compatible(version: &str) -> Vec<&str> {
    let version = version.trim_start_matches('^');
    let length = if version.starts_with("0.") { 2 } else { 1 };
    version.split('.').take(length).collect()
}

/// The table of dependencies has the name, the version and the licence of each.
#[test]
fn contributors_find_every_dependency() {
    let table = include_str!("../../CONTRIBUTING.md");
    let (_, table) = table.split_once("\n## Dependencies\n").expect("a section");
    let (table, _) = table.split_once("\n## ").expect("a further section");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = |row: &'static str| row.split('|').map(|cell| cell.trim_matches([' ', '`']));
    let rows: BTreeSet<[String; 3]> = rows
        .map(|row| {
            let cells: Vec<_> = cells(row).map(str::to_owned).collect();
            cells[..3].to_vec().try_into().expect("three")
        })
        .collect();
    let packages = packages();
    let licence = |dependency: &Value| {
        let is_it = |it: &&&Value| {
            it["name"] == dependency["name"]
                && compatible(text(&it["version"])) == compatible(text(&dependency["req"]))
        };
        let package = packages.values().find(is_it);
        package.map_or("", |it| text(&it["license"]))
    };
    let mut own = BTreeSet::new();
    for package in published() {
        for dependency in array(&package["dependencies"]) {
            if dependency["kind"].is_null() && dependency["path"].is_null() {
                let version = compatible(text(&dependency["req"])).join(".");
                let name = text(&dependency["name"]).to_owned();
                own.insert([name, version, licence(dependency).to_owned()]);
            }
        }
    }
    assert_eq!(rows, own);
}

/// A service depends on `auth-runtime` only, which re-exports these packages.
#[test]
fn examples_name_package_services_depend_on() {
    const REEXPORTED: [&str; 4] = [
        "auth-runtime-axum",
        "auth-runtime-core",
        "auth-runtime-policy",
        "auth-runtime-schemes",
    ];
    let mut examples = 0;
    for package in published() {
        if !REEXPORTED.contains(&text(&package["name"])) {
            continue;
        }
        let manifest = Path::new(text(&package["manifest_path"]));
        let mut sources = BTreeMap::new();
        read(&manifest.with_file_name("src"), &[], &mut sources);
        // The comparison of policies belongs to the audit.
        sources.remove(&vec!["compare".to_owned()]);
        for (module, source) in sources {
            let lines = source.lines().map(str::trim);
            let comments = lines.filter_map(|line| line.strip_prefix("///"));
            for line in comments
                .map(str::trim)
                .filter(|it| it.starts_with("use auth"))
            {
                examples += 1;
                assert!(!line.contains("auth_runtime_"), "{module:?}: {line}");
            }
        }
    }
    assert!(examples > 100, "{examples}");
}
