//! The files that `cargo auth diff` reads from revisions of git. The lines of an input before its first file are a
//! revision, in git's syntax.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::package::{File, files, on_large_stack, workspace};
use super::policy_diff::{check, policies};
use crate::cargo_auth::revision::Revision;
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "git_output",
    cost: 500,
    dictionary: &[
        "=== src/lib.rs\n",
        "<<< src/lib.rs\n",
        ">>> src/lib.rs\n",
        "=== src/admin.rs\n",
        ">>> src/admin\n",
        "=== src/a b.rs\n",
        "=== ../escaped\n",
        "=== /tmp/escaped\n",
        "=== .git/config\n",
        "=== .gitattributes\n",
        "=== .gitmodules\n",
        "=== -option\n",
        "=== :(top)x\n",
        "* text eol=crlf\n",
        "mod admin;\n",
        "one",
        "two",
        "one:src",
        "^{commit}",
        "@{0}",
        "~1",
        "..",
        "--output=x",
        "--",
        ":/",
        "#[requires(role = \"admin\")]\n",
        "async fn f() {}\n",
    ],
    start,
};

/// The maximum length of an input.
const MAX_LENGTH: usize = 4096;

fn start() -> Check {
    Box::new(|input| {
        let [one, two] = files(input);
        let is_named = |(name, _): &File| !name.contains('\0');
        if input.len() > MAX_LENGTH || !one.iter().chain(&two).all(is_named) {
            return Outcome::of("not a revision");
        }
        let folder = TempDir::with_prefix("auth-fuzz-").expect("a folder");
        let root = folder.path();
        if !(git(root, &["init", "--quiet"], b"")
            && git(root, &["fast-import", "--quiet"], &stream(&one, &two)))
        {
            return Outcome::of("git refuses it");
        }
        let revision = revision(input);
        let outcome = on_large_stack(|| {
            let named = Revision::write_out(root, &revision);
            assert!(named.is_err() || !revision.starts_with('-'), "{revision:?}");
            let outcome = match (written(root, "one", &one), written(root, "two", &two)) {
                (Some(before), Some(after)) => {
                    let sets = [&before, &after].map(|it| policies(&workspace(&it.root)));
                    match sets {
                        [Ok(before), Ok(after)] => check(&before, &after, one == two),
                        [Err(failure), _] | [_, Err(failure)] => Outcome::of_messages([failure]),
                    }
                }
                _ => Outcome::of("git refuses a name"),
            };
            Outcome::of((named.is_ok(), outcome))
        });
        // The repository is only read.
        let names = fs::read_dir(root).expect("a folder");
        let names = names.map(|entry| entry.expect("an entry").file_name());
        assert_eq!(names.collect::<Vec<_>>(), [".git"]);
        assert!(!root.join(".git/index").exists());
        outcome
    })
}

/// The lines before the first file.
fn revision(input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let is_name = |line: &&str| {
        ["=== ", "<<< ", ">>> "]
            .iter()
            .any(|it| line.starts_with(it))
    };
    let lines = text.lines().take_while(|line| !is_name(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs git. Returns whether it succeeded.
fn git(folder: &Path, arguments: &[&str], input: &[u8]) -> bool {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("git");
    let mut stdin = child.stdin.take().expect("an input");
    // It may stop before the end.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait().expect("a status").success()
}

/// Returns the input of `git fast-import`: a branch for each revision.
fn stream(one: &[File], two: &[File]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (branch, files) in [("one", one), ("two", two)] {
        let head = format!("commit refs/heads/{branch}\ncommitter x <x> 0 +0000\ndata 0\n\n");
        stream.extend_from_slice(head.as_bytes());
        for (name, text) in files {
            let name = name.replace('\\', "\\\\").replace('"', "\\\"");
            let length = text.len();
            let head = format!("M 100644 inline \"{name}\"\ndata {length}\n");
            stream.extend_from_slice(head.as_bytes());
            stream.extend_from_slice(text);
            stream.push(b'\n');
        }
        stream.push(b'\n');
    }
    stream
}

/// Writes a revision out, and compares the files with those of the input. Returns `None` if git refuses a name.
fn written(root: &Path, branch: &str, files: &[File]) -> Option<Revision> {
    let written = Revision::write_out(root, branch).ok()?;
    let mut expected: BTreeMap<String, &[u8]> = BTreeMap::new();
    for (name, text) in files {
        // A file takes the place of a folder, and the other way around.
        let is_below = |one: &str, other: &str| {
            let rest = one.strip_prefix(other);
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        expected.retain(|other, _| !is_below(name, other) && !is_below(other, name));
        expected.insert(name.clone(), text);
    }
    // Attributes convert the texts of files.
    let is_converted = expected.keys().any(|name| name.ends_with(".gitattributes"));
    let mut found = BTreeMap::new();
    read(&written.root, "", &mut found);
    let is_read = |name: &str| {
        let file = name.rsplit('/').next().unwrap_or_default();
        file.ends_with(".rs") || matches!(file, "Cargo.toml" | "auth.toml")
    };
    assert!(
        found.keys().all(|name| expected.contains_key(name)),
        "{branch}"
    );
    expected.retain(|name, _| is_read(name) || found.contains_key(name));
    assert!(
        expected.keys().all(|name| found.contains_key(name)),
        "{branch}"
    );
    if !is_converted {
        for (name, text) in expected {
            assert_eq!(found[&name], text, "{branch}: {name}");
        }
    }
    Some(written)
}

fn read(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            read(&path, &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(&path).expect("a file"));
        }
    }
}
