//! Every message of the attributes has a code, every code has a page and a test case, and every
//! page has a code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}

/// Returns all files below a folder with this end of the name.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a text")
}

/// Returns all occurrences of `AUTH` with four digits.
fn codes_in(text: &str) -> BTreeSet<String> {
    let code = regex_lite::Regex::new("AUTH[0-9]{4}").expect("a pattern");
    code.find_iter(text)
        .map(|found| found.as_str().to_owned())
        .collect()
}

fn codes_in_files(paths: impl IntoIterator<Item = PathBuf>) -> BTreeSet<String> {
    paths
        .into_iter()
        .flat_map(|path| codes_in(&read(&path)))
        .collect()
}

/// Returns the codes of all messages: those of the attributes, and those in the runtime's
/// diagnostics for the compiler.
fn known() -> BTreeSet<String> {
    let runtime = files(&root().join("auth-runtime"), ".rs");
    let advice = runtime
        .into_iter()
        .filter(|path| !path.ends_with("catalogue.rs"));
    let sources = advice.chain([root().join("auth-macros/grammar/src/codes.rs")]);
    codes_in_files(sources)
}

#[test]
fn codes_and_pages_match() {
    let pages: BTreeSet<String> = files(&root().join("auth-runtime/catalogue"), ".md")
        .iter()
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(pages, known());
    let list = codes_in(&read(&root().join("auth-runtime/src/catalogue.rs")));
    assert_eq!(list, pages);
    for page in files(&root().join("auth-runtime/catalogue"), ".md") {
        let text = read(&page);
        let code = page
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert!(text.starts_with(&format!("# {code}: ")), "{code}");
        assert_eq!(codes_in(&text), BTreeSet::from([code.clone()]), "{code}");
        // A rejected and a corrected example.
        assert_eq!(text.matches("\n```").count(), 4, "{code}");
    }
}

#[test]
fn every_code_is_shown_by_case() {
    let here = root().join("tests");
    let cases = files(&here.join("ui"), ".stderr").into_iter();
    let tool = files(&here.join("cargo_auth"), ".check").into_iter();
    let others = files(&here.join("vocabulary"), "expected");
    let shown = codes_in_files(cases.chain(others).chain(tool));
    let missing: Vec<_> = known().difference(&shown).cloned().collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

/// The compiler's own errors have codes of its own, with these exceptions.
const OF_THE_COMPILER: [&str; 3] = [
    "error: cannot construct ",
    "error: expected type, found ",
    "error: function `unused`",
];

#[test]
fn every_message_has_a_code() {
    let here = root().join("tests");
    let cases = files(&here.join("ui/fail"), ".stderr").into_iter();
    for case in cases.chain(files(&here.join("vocabulary"), "expected")) {
        for line in read(&case).lines() {
            let is_compilers = OF_THE_COMPILER.iter().any(|start| line.starts_with(start));
            let is_ours = line.starts_with("error: ") && !is_compilers;
            let has_code = !codes_in(line).is_empty();
            assert!(!is_ours || has_code, "{}: {line}", case.display());
        }
    }
}
