//! A list that would not be complete is none.

use std::path::{Path, PathBuf};

use crate::run;

pub(crate) const MANIFEST: &str = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n\
                        [dependencies]\nauth-runtime = \"0.1\"\n";

/// A workspace of these files.
pub(crate) fn made(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("cargo_auth")
        .join(name);
    let _ = std::fs::remove_dir_all(&folder);
    for (file, text) in files {
        let file = folder.join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    }
    folder
}

fn refused(name: &str, files: &[(&str, &str)]) -> String {
    let folder = made(name, &[&[("Cargo.toml", MANIFEST)], files].concat());
    let mut said = Vec::new();
    for arguments in [["list"], ["check"]] {
        let run = run(&folder, &arguments);
        assert_eq!((run.status, run.text.as_str()), (2, ""), "{name}: {run:?}");
        said.push(run.errors);
    }
    assert_eq!(said[0], said[1]);
    said.remove(0)
}

#[test]
fn a_source_that_cannot_be_read_is_no_empty_list() {
    for (name, files, reason) in [
        (
            "missing_module",
            &[("src/lib.rs", "\n  mod handlers;\n")][..],
            "error: src/lib.rs:2:7: the file of the module `handlers` is missing\n",
        ),
        (
            "no_rust",
            &[("src/lib.rs", "mod a;"), ("src/a.rs", "async fn f() {\n")],
            "error: src/a.rs:1:14: this is no Rust: ",
        ),
        (
            "circle",
            &[("src/lib.rs", "#[path = \"../src/lib.rs\"]\nmod again;\n")],
            "error: src/../src/lib.rs is a module of itself\n",
        ),
    ] {
        let said = refused(name, files);
        assert!(said.starts_with(reason), "{name}: {said}");
    }
    let none = run(Path::new("/"), &["list"]);
    assert_eq!(none.status, 2);
    let said = none.errors;
    assert!(
        said.starts_with("error: the workspace cannot be read: "),
        "{said}"
    );
}

#[test]
fn a_mistake_in_the_vocabulary_is_told_where_it_stands() {
    let files = [
        ("Cargo.toml", MANIFEST),
        ("auth.toml", "[scopes]\nread = \"\"\n"),
        (
            "src/lib.rs",
            "#[auth_runtime::requires(scope = \"read\")]\nasync fn f() {}\n",
        ),
    ];
    let run = run(&made("vocabulary", &files), &["check"]);
    assert_eq!(
        (run.status, run.text.as_str()),
        (
            1,
            "auth.toml:2:8: the description of the scope `read` is empty; say what it is for \
             [AUTH0031]\n1 finding, beside 1 policy\n"
        )
    );
}

#[test]
fn a_vocabulary_that_got_lost_is_told() {
    let manifest = format!("{MANIFEST}[package.metadata.auth]\nrequired = true\n");
    let files = [
        ("Cargo.toml", manifest.as_str()),
        (
            "src/lib.rs",
            "#[auth_runtime::requires(scope = \"read\")]\nasync fn f() {}\n",
        ),
    ];
    let run = run(&made("lost", &files), &["check"]);
    assert_eq!(run.status, 1);
    let said = "auth.toml:1:1: Cargo.toml requires an `auth.toml`, and there is none";
    assert!(run.text.starts_with(said), "{}", run.text);
    assert!(
        run.text
            .ends_with("[AUTH0031]\n1 finding, beside 1 policy\n"),
        "{}",
        run.text
    );
}

/// Only who depends on the runtime can write its attributes.
#[test]
fn somebody_elses_attributes_are_left_alone() {
    let manifest = MANIFEST.replace("auth-runtime = \"0.1\"", "contracts = \"1\"");
    let files = [
        ("Cargo.toml", manifest.as_str()),
        (
            "src/lib.rs",
            "use contracts::requires;\n#[requires(x > 0)]\nfn f(x: u32) {}\n",
        ),
    ];
    let run = run(&made("contracts", &files), &["check"]);
    assert_eq!(run.text, "nothing found, beside 0 policies\n");
}
