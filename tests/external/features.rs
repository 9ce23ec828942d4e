//! The behaviour of one service with the fewest features and with all of them.

use std::path::PathBuf;
use std::process::Command;

use auth_tests::programs::{build, output_of};

/// Returns the output of the service with its default features, built alone.
fn output_with_fewest() -> String {
    output_of(
        Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--offline", "--package", "auth-features"])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    )
}

/// Returns the output of the service with all features. Other packages of the workspace enable the same ones.
fn output_with_all() -> String {
    let mut programs = build(&["--features", "auth-features/all"]);
    let service: PathBuf = programs.remove("auth-features").expect("the service");
    output_of(&mut Command::new(service))
}

#[test]
fn all_features_change_no_behaviour() {
    let fewest = output_with_fewest();
    // Revocation takes effect between the rounds.
    let of = |round: &str| {
        let title = format!("# bob, {round}: GET /read\n");
        let (_, rest) = fewest.split_once(&title).expect("the request");
        rest.lines().next().expect("a status").to_owned()
    };
    assert_eq!(of("first"), "200 OK");
    assert_eq!(of("second"), "401 Unauthorized");
    let all = output_with_all();
    for (line, (fewest, all)) in fewest.lines().zip(all.lines()).enumerate() {
        assert_eq!(fewest, all, "line {}", line + 1);
    }
    assert_eq!(fewest.len(), all.len());
}
