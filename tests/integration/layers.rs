//! The dependencies of the layers, from their manifests.

use std::collections::BTreeSet;
use std::process::Command;

use crate::packages::{array, published, text};

/// Returns the packages that `package` is built with, without those of its tests.
fn dependencies(package: &str, arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--package", package])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let (stdout, stderr) = (output.stdout, output.stderr);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&stderr)
    );
    let lines = String::from_utf8(stdout).expect("UTF-8");
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[track_caller]
fn assert_without(package: &str, arguments: &[&str], others: &[&str]) {
    let dependencies = dependencies(package, arguments);
    assert!(dependencies.iter().any(|own| own == package));
    for other in others {
        assert!(
            !dependencies.iter().any(|own| own == other),
            "{package} depends on {other}"
        );
    }
}

const FRAMEWORKS: [&str; 16] = [
    "actix-web",
    "async-std",
    "axum",
    "axum-core",
    "hyper",
    "hyper-util",
    "poem",
    "reqwest",
    "rocket",
    "smol",
    "tokio",
    "tower",
    "tower-http",
    "tower-layer",
    "tower-service",
    "warp",
];

/// The published packages, from top to bottom, with those that each may depend on, with any feature.
pub(crate) const LAYERS: [(&str, &[&str]); 15] = [
    (
        "auth-runtime-cli",
        &[
            "auth-grammar",
            "auth-runtime",
            "auth-runtime-core",
            "auth-runtime-policy",
        ],
    ),
    (
        "auth-runtime",
        &[
            "auth-macros",
            "auth-runtime-axum",
            "auth-runtime-core",
            "auth-runtime-policy",
            "auth-runtime-schemes",
        ],
    ),
    (
        "auth-runtime-utoipa",
        &[
            "auth-runtime-audit",
            "auth-runtime-axum",
            "auth-runtime-core",
        ],
    ),
    // The lock compares source code, with the grammar.
    (
        "auth-runtime-audit",
        &[
            "auth-grammar",
            "auth-runtime-axum",
            "auth-runtime-core",
            "auth-runtime-policy",
        ],
    ),
    ("auth-runtime-axum-extra", &["auth-runtime-axum"]),
    (
        "auth-runtime-axum",
        &["auth-runtime-core", "auth-runtime-policy"],
    ),
    (
        "auth-runtime-schemes",
        &[
            "auth-runtime-core",
            "auth-runtime-policy",
            "auth-runtime-remote",
        ],
    ),
    (
        "auth-runtime-authzen",
        &["auth-runtime-core", "auth-runtime-remote"],
    ),
    ("auth-runtime-cedar", &["auth-runtime-core"]),
    (
        "auth-runtime-spicedb",
        &["auth-runtime-core", "auth-runtime-remote"],
    ),
    ("auth-runtime-remote", &[]),
    ("auth-runtime-core", &["auth-runtime-policy"]),
    // The compiler builds both for each service.
    ("auth-macros", &["auth-grammar", "auth-runtime-policy"]),
    ("auth-grammar", &["auth-runtime-policy"]),
    ("auth-runtime-policy", &[]),
];

#[test]
fn published_packages_are_known() {
    let names: BTreeSet<&str> = published().iter().map(|it| text(&it["name"])).collect();
    assert_eq!(names, LAYERS.iter().map(|(name, _)| *name).collect());
}

#[test]
fn layers_point_down() {
    let mut below = BTreeSet::new();
    for (package, allowed) in LAYERS.into_iter().rev() {
        let allowed = BTreeSet::from_iter(allowed.iter().copied());
        assert!(
            allowed.is_subset(&below),
            "{package} is not above {allowed:?}"
        );
        let own = published()
            .into_iter()
            .find(|own| text(&own["name"]) == package)
            .expect("a published package");
        let dependencies = array(&own["dependencies"])
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| text(&dependency["name"]))
            .filter(|name| LAYERS.iter().any(|(own, _)| own == name));
        assert_eq!(BTreeSet::from_iter(dependencies), allowed, "{package}");
        below.insert(package);
    }
}

#[test]
fn core_has_no_framework() {
    assert_without("auth-runtime-core", &["--all-features"], &FRAMEWORKS);
}

#[test]
#[should_panic = "auth-runtime-axum depends on axum"]
fn framework_is_found() {
    assert_without("auth-runtime-axum", &[], &FRAMEWORKS);
}

#[test]
fn policy_has_no_framework() {
    assert_without("auth-runtime-policy", &["--all-features"], &["http"]);
    assert_without("auth-runtime-policy", &["--all-features"], &FRAMEWORKS);
}

/// An engine with another protocol takes the circuit breaker without an HTTP client.
#[test]
fn remote_without_features_has_no_framework() {
    assert_without("auth-runtime-remote", &[], &FRAMEWORKS);
}

#[test]
fn engines_have_no_axum() {
    for engine in ["authzen", "cedar", "spicedb"] {
        let engine = format!("auth-runtime-{engine}");
        assert_without(&engine, &["--all-features"], &["axum"]);
    }
}

#[test]
fn cargo_auth_has_no_axum() {
    assert_without("auth-runtime-cli", &["--all-features"], &["axum"]);
}

#[test]
#[should_panic = "auth-runtime-core depends on auth-runtime-policy"]
fn own_package_is_found() {
    assert_without("auth-runtime-core", &[], &["auth-runtime-policy"]);
}

/// The credentials of tests, and the audit of routes, are not part of the service.
#[test]
fn example_has_no_test_packages() {
    let for_tests = ["auth-runtime-audit", "auth-examples", "auth-tour"];
    assert_without("auth-forge", &[], &for_tests);
}

#[test]
fn runtime_without_features_has_no_axum() {
    assert_without("auth-runtime", &["--no-default-features"], &FRAMEWORKS);
}
