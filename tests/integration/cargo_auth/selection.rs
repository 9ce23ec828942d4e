//! The findings and the lists of packages that are selected.

use crate::cargo_auth::diff::replace;
use crate::cargo_auth::revisions::two_packages;
use crate::cargo_auth::{json, run};

/// The findings of other packages are not reported, but names that they use count as used.
#[test]
fn only_selected_packages_are_checked() {
    let folder = two_packages("checked");
    for package in [&[][..], &["-p", "one"], &["-p", "other"]] {
        let checked = run(&folder, &[&["check"], package].concat());
        assert_eq!(checked.status, 0, "{package:?}: {}", checked.text);
    }
    let library = folder.join("other/src/lib.rs");
    replace(&library, "scope = \"other\"", "scope = \"another\"");
    for (package, status) in [(&[][..], 1), (&["-p", "other"], 1)] {
        let checked = run(&folder, &[&["check"], package].concat());
        assert_eq!(checked.status, status, "{package:?}");
        assert!(
            checked.text.contains("`another` is not declared"),
            "{}",
            checked.text
        );
    }
    let checked = run(&folder, &["check", "-p", "one"]);
    assert!(!checked.text.contains("another"), "{}", checked.text);
}

/// A package has its own vocabulary, reasons, macros and routers.
#[test]
fn findings_belong_to_their_package() {
    let folder = two_packages("kinds");
    replace(&folder.join("auth.toml"), "other = \"Other\"\n", "");
    let vocabulary = "[scopes]\nother = \"Other\"\nidle = \"Required by nobody\"\n\
                      [resources]\nRepo = \"A repository\"\n[actions]\nread = \"Read it\"\n";
    std::fs::write(folder.join("other/auth.toml"), vocabulary).expect("a file");
    let library = folder.join("other/src/lib.rs");
    let text = std::fs::read_to_string(&library).expect("a text");
    let more =
        "use auth_runtime::{GuardedRouter, public, requires, requires as needs, routing::get};
#[public(reason = \"pages\")] async fn page() {}
#[requires(can = \"read\", on = \"Repo::{id}\")] async fn read() {}
macro_rules! handlers { () => { #[auth_runtime::public(reason = \"x\")] async fn f() {} } }
static ROUTES: Lazy = Lazy::new(|| GuardedRouter::new().route(\"/y/{name}\", get(read)));
fn routes() -> GuardedRouter {
    // unguarded: nothing is below
    let secret = GuardedRouter::new().route(\"/x/secret\", get(h));
    secret.route(\"/x/{*p}\", get(page)).merge_unguarded(\"why\", &[\"/z\"], plain())
}
async fn bare() {}
fn open() { axum::routing::get(bare); }
";
    std::fs::write(&library, text + more).expect("a file");
    let codes = |package: &str| -> Vec<String> {
        let found = json(&folder, &["check", "--format=json", "-p", package]);
        let found = found.as_array().expect("findings").iter();
        found
            .map(|it| it["code"].to_string().replace('"', ""))
            .collect()
    };
    let mut of_other = codes("other");
    of_other.sort();
    assert_eq!(
        of_other,
        [
            "AUTH0101", "AUTH0102", "AUTH0103", "AUTH0104", "AUTH0105", "AUTH0106", "AUTH0107"
        ]
    );
    assert_eq!(codes("one"), [""; 0]);
    for (package, number) in [("other", 1), ("one", 0)] {
        let listed = json(&folder, &["list", "--format=json", "-p", package]);
        for key in ["macros", "unguarded"] {
            let rows = listed[key].as_array().map(Vec::len);
            assert_eq!(rows, Some(number), "{package} {key}: {listed}");
        }
    }
    std::fs::write(folder.join("other/auth.toml"), "[scopes]\nother = \"\"\n").expect("a file");
    assert!(codes("other").contains(&"AUTH0031".to_owned()));
    assert_eq!(codes("one"), [""; 0]);
}
