//! The files of a revision that `cargo auth diff` writes out.

use std::path::{Path, PathBuf};

use crate::cargo_auth::diff::{commit, git, replace};
use crate::cargo_auth::refused::{MANIFEST, made};
use crate::cargo_auth::revisions::changes;
use crate::cargo_auth::{json, run};

const HANDLER: &str = "#[auth_runtime::requires(role = \"a\")]\npub async fn h() {}\n";

/// Commits files.
fn repository(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = made(name, &[&[("Cargo.toml", MANIFEST)], files].concat());
    git(&folder, &["init", "--quiet"]);
    commit(&folder);
    folder
}

/// A filter such as that of Git LFS downloads the contents of a file.
#[test]
fn only_sources_are_written_out() {
    let files = [
        (".gitattributes", "*.bin filter=loaded\n"),
        ("src/lib.rs", HANDLER),
        ("assets/model.bin", "large"),
    ];
    let folder = repository("filter", &files);
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;

        symlink("model.bin", folder.join("assets/current.bin")).expect("a link");
        commit(&folder);
    }
    let log = folder.join("loaded");
    let smudge = format!("echo >> '{}'; cat", log.display());
    git(&folder, &["config", "filter.loaded.smudge", &smudge]);
    replace(&folder.join("src/lib.rs"), "role = \"a\"", "authenticated");
    assert_eq!(changes(&folder, &[]), ["loosened it::h"]);
    assert!(!log.exists());
    // The filter works.
    std::fs::remove_file(folder.join("assets/model.bin")).expect("a file");
    git(&folder, &["checkout", "--", "assets"]);
    assert!(log.exists());
}

/// Also those without the usual names.
#[test]
fn files_named_by_sources_are_written() {
    let key = "schema = \"policies/own.cedarschema\"\n";
    let roles = "[roles]\na = \"A\"\n";
    for (name, vocabulary) in [
        ("dotted", format!("cedar.{key}{roles}")),
        ("table", format!("[cedar]\n{key}{roles}")),
        ("indented", format!("[cedar]\n  {key}{roles}")),
        ("tab", format!("[cedar]\n\t{key}{roles}")),
        (
            "comment",
            format!("[cedar]\r\n# the entities\r\n  {key}{roles}"),
        ),
        ("inline", format!("cedar = {{ {} }}\n{roles}", key.trim())),
    ] {
        named_files_are_written_out(name, &vocabulary);
    }
}

fn named_files_are_written_out(name: &str, vocabulary: &str) {
    let schema = "entity A; entity B;\naction read appliesTo { principal: A, resource: B };\n";
    let target = "\n[[bin]]\nname = \"tool\"\n# the sources\n  path = \"tools/tool.txt\"\n";
    let manifest = format!("{MANIFEST}{target}");
    let root = "#[cfg(a)]\n#[path = \"../parts/one.inc\"]\nmod one;\n\
                #[cfg_attr(a, path = \"two.inc\")]\n#[cfg(a)]\nmod two;\n\
                #[cfg_attr(a, // why\n    path = \"three.inc\")]\n#[cfg(a)]\nmod three;\n\
                #[cfg(a)]\n#[/* why */ path = \"four.inc\"]\nmod four;\n";
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("auth.toml", vocabulary),
        ("policies/own.cedarschema", schema),
        ("src/lib.rs", root),
        (
            "parts/one.inc",
            "#[path = r\"deeper.inc\"] pub mod deeper;\n",
        ),
        ("parts/deeper.inc", HANDLER),
        ("src/two.inc", HANDLER),
        ("src/three.inc", HANDLER),
        ("src/four.inc", HANDLER),
        ("tools/tool.txt", "fn main() {}\n"),
    ];
    let folder = repository(name, &files);
    assert_eq!(changes(&folder, &[]), [""; 0], "{name}");
    for file in [
        "parts/deeper.inc",
        "src/two.inc",
        "src/three.inc",
        "src/four.inc",
    ] {
        replace(&folder.join(file), "role = \"a\"", "authenticated");
    }
    commit(&folder);
    let rows = json(&folder, &["diff", "--format=json", "HEAD~1", "HEAD"]);
    let rows = rows.as_array().expect("rows").iter();
    let rows: Vec<_> = rows.map(|row| (&row["change"], &row["path"])).collect();
    let loosened = serde_json::json!("loosened");
    let paths = [
        "it::four::h",
        "it::one::deeper::h",
        "it::three::h",
        "it::two::h",
    ]
    .map(serde_json::Value::from);
    let expected: Vec<_> = paths.iter().map(|path| (&loosened, path)).collect();
    assert_eq!(rows, expected, "{name}");
}

#[cfg(unix)]
#[test]
fn links_are_followed() {
    use std::os::unix::fs::symlink;

    let files = [
        ("real/vocabulary.txt", "[roles]\na = \"A\"\n"),
        ("real/module.txt", HANDLER),
        ("src/lib.rs", "#[cfg(a)]\nmod linked;\n"),
    ];
    let folder = made("links", &[&[("Cargo.toml", MANIFEST)], &files[..]].concat());
    let link = |to: &str, from: &str| symlink(Path::new(to), folder.join(from)).expect("a link");
    link("real/vocabulary.txt", "auth.toml");
    link("../real/module.txt", "src/linked.rs");
    git(&folder, &["init", "--quiet"]);
    commit(&folder);
    replace(
        &folder.join("real/module.txt"),
        "role = \"a\"",
        "authenticated",
    );
    commit(&folder);
    let told = run(&folder, &["diff", "HEAD~1", "HEAD"]);
    assert!(told.text.starts_with("loosened\n"), "{told:?}");
    replace(&folder.join("real/vocabulary.txt"), "A", "B");
    commit(&folder);
    let told = run(&folder, &["diff", "HEAD~1", "HEAD"]);
    assert!(
        told.text.starts_with("no access policy changed"),
        "{told:?}"
    );
}
