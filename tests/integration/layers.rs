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

const FRAMEWORKS: [&str; 5] = ["axum", "axum-core", "hyper", "tokio", "tower"];

#[test]
fn core_has_no_framework() {
    assert_without("auth-runtime-core", &["--all-features"], &FRAMEWORKS);
}

#[test]
fn policy_has_no_http() {
    assert_without("auth-runtime-policy", &["--all-features"], &["http"]);
    assert_without("auth-runtime-policy", &["--all-features"], &FRAMEWORKS);
}

#[test]
fn layers_point_down() {
    let upper = ["auth-runtime", "auth-runtime-audit", "auth-runtime-axum"];
    let no_schemes = [&upper[..], &["auth-runtime-schemes"]].concat();
    assert_without("auth-runtime-core", &["--all-features"], &no_schemes);
    assert_without("auth-runtime-schemes", &["--all-features"], &upper);
    assert_without(
        "auth-runtime-axum",
        &["--all-features"],
        &["auth-runtime", "auth-runtime-audit", "auth-runtime-schemes"],
    );
    assert_without("auth-runtime", &["--all-features"], &["auth-runtime-audit"]);
}

#[test]
fn runtime_without_features_has_no_axum() {
    assert_without("auth-runtime", &["--no-default-features"], &FRAMEWORKS);
}
