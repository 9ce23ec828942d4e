//! The behaviour of one service with the fewest features and with all of them.

use std::process::Command;

/// Builds the service, and returns its output.
fn output_of_service(features: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--package", "auth-features"])
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let (stdout, stderr) = (output.stdout, output.stderr);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&stderr)
    );
    String::from_utf8(stdout).expect("UTF-8")
}

#[test]
fn all_features_change_no_behaviour() {
    let fewest = output_of_service(&[]);
    // Revocation takes effect between the rounds.
    let of = |round: &str| {
        let title = format!("# bob, {round}: GET /read\n");
        let (_, rest) = fewest.split_once(&title).expect("the request");
        rest.lines().next().expect("a status").to_owned()
    };
    assert_eq!(of("first"), "200 OK");
    assert_eq!(of("second"), "401 Unauthorized");
    let all = output_of_service(&["--features", "all"]);
    for (line, (fewest, all)) in fewest.lines().zip(all.lines()).enumerate() {
        assert_eq!(fewest, all, "line {}", line + 1);
    }
    assert_eq!(fewest.len(), all.len());
}
