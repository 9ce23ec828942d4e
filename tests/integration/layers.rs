//! The dependencies of the layers, from their manifests.

use std::process::Command;

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

/// The packages of the workspace.
pub(crate) const OURS: [&str; 15] = [
    "auth-grammar",
    "auth-macros",
    "auth-runtime",
    "auth-runtime-audit",
    "auth-runtime-authzen",
    "auth-runtime-axum",
    "auth-runtime-axum-extra",
    "auth-runtime-cedar",
    "auth-runtime-cli",
    "auth-runtime-core",
    "auth-runtime-policy",
    "auth-runtime-remote",
    "auth-runtime-schemes",
    "auth-runtime-spicedb",
    "auth-runtime-utoipa",
];

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
fn policy_stands_alone() {
    let others = OURS.iter().filter(|own| **own != "auth-runtime-policy");
    let others: Vec<&str> = others.copied().chain(["http"]).collect();
    assert_without("auth-runtime-policy", &["--all-features"], &others);
    assert_without("auth-runtime-policy", &["--all-features"], &FRAMEWORKS);
}

/// The compiler builds both for each service.
#[test]
fn attributes_depend_on_the_policy_only() {
    for package in ["auth-grammar", "auth-macros"] {
        let own = ["auth-grammar", "auth-runtime-policy", package];
        let others = OURS.iter().filter(|ours| !own.contains(ours));
        let others: Vec<&str> = others.copied().collect();
        assert_without(package, &["--all-features"], &others);
    }
}

/// An engine with another protocol takes the circuit breaker without an HTTP client.
#[test]
fn remote_stands_alone() {
    let others = OURS.iter().filter(|own| **own != "auth-runtime-remote");
    let others: Vec<&str> = others.copied().collect();
    assert_without("auth-runtime-remote", &["--all-features"], &others);
    assert_without("auth-runtime-remote", &[], &FRAMEWORKS);
}

#[test]
#[should_panic = "auth-runtime-core depends on auth-runtime-policy"]
fn own_package_is_found() {
    assert_without("auth-runtime-core", &[], &["auth-runtime-policy"]);
}

#[test]
fn layers_point_down() {
    let upper = ["auth-runtime", "auth-runtime-audit", "auth-runtime-axum"];
    let no_schemes = [&upper[..], &["auth-runtime-schemes"]].concat();
    assert_without("auth-runtime-core", &["--all-features"], &no_schemes);
    assert_without(
        "auth-runtime-core",
        &["--all-features"],
        &["auth-runtime-remote"],
    );
    assert_without("auth-runtime-schemes", &["--all-features"], &upper);
    let no_engine = [&no_schemes[..], &["axum"]].concat();
    assert_without("auth-runtime-authzen", &["--all-features"], &no_engine);
    assert_without(
        "auth-runtime-axum",
        &["--all-features"],
        &["auth-runtime", "auth-runtime-audit", "auth-runtime-schemes"],
    );
    assert_without("auth-runtime-cedar", &["--all-features"], &no_schemes);
    assert_without("auth-runtime-spicedb", &["--all-features"], &no_engine);
    assert_without("auth-runtime", &["--all-features"], &["auth-runtime-audit"]);
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
