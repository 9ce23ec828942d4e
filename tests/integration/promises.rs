//! The page `tests/README.md`: each promise of the README has a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn page(name: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    fs::read_to_string(format!("{root}/{name}")).expect("a page")
}

/// Returns a text on one line, without emphasis and without the targets of links.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = after.split_once(')').map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    let text = text.replace("**", "").replace('[', "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the cells of the rows of all tables of a section.
fn rows(section: &str) -> Vec<Vec<String>> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.map(|row| row.trim_end_matches(" |").split(" | ").map(plain).collect());
    rows.skip(1).collect()
}

fn promises() -> Vec<(String, Vec<String>)> {
    let rows = rows(&page("tests/README.md")).into_iter();
    let rows = rows.map(|row| {
        let [promise, tests] = <[String; 2]>::try_from(row).expect("two cells");
        let tests = tests
            .split(", ")
            .map(|test| test.trim_matches('`').to_owned());
        (promise, tests.collect())
    });
    rows.collect()
}

fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, section) = page.split_once(heading).expect("the section");
    section.split_once("\n## ").map_or(section, |(own, _)| own)
}

#[test]
fn promises_are_those_of_the_readme() {
    let readme = plain(&page("README.md"));
    for (promise, _) in promises() {
        assert!(
            readme.contains(&promise),
            "the README does not promise {promise:?}"
        );
    }
}

#[test]
fn each_promise_has_a_row() {
    let readme = page("README.md");
    let promises = promises();
    let is_promised = |cell: &String| promises.iter().any(|(promise, _)| promise == cell);
    let bullets = readme.lines().filter(|line| line.starts_with("- **"));
    let bullets: Vec<String> = bullets.map(plain).collect();
    assert_eq!(bullets.len(), 6);
    for bullet in bullets {
        let mut quoted = promises.iter().map(|(promise, _)| promise);
        assert!(
            quoted.any(|promise| bullet.contains(promise)),
            "no row for {bullet:?}"
        );
    }
    for heading in ["\n## Requirements\n", "\n## Schemes\n", "\n## Responses\n"] {
        let rows = rows(section(&readme, heading));
        assert!(rows.len() >= 5, "{heading}");
        for row in rows {
            assert!(row.iter().any(is_promised), "no row for {row:?}");
        }
    }
}

/// Returns the names of all tests of this program.
fn own_tests() -> BTreeSet<String> {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).arg("--list").output();
    let list = String::from_utf8(output.expect("a list").stdout).expect("text");
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    names.map(str::to_owned).collect()
}

#[test]
fn each_test_exists() {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let own = own_tests();
    for (promise, names) in promises() {
        assert!(!names.is_empty(), "{promise}");
        for name in names {
            let Some((module, function)) = name.rsplit_once("::") else {
                assert!(tests.join(&name).exists(), "{name}");
                continue;
            };
            if !matches!(module.split("::").next(), Some("grammar" | "oracles")) {
                assert!(own.contains(&name), "{name}");
                continue;
            }
            let file = module.replace("::", "/");
            let file = format!("../auth-macros/grammar/tests/{file}.rs");
            let text = fs::read_to_string(tests.join(&file)).expect(&file);
            assert!(text.contains(&format!("fn {function}(")), "{name}");
        }
    }
}

#[test]
fn names_have_at_most_six_words() {
    for name in own_tests() {
        let function = name.rsplit("::").next().unwrap_or(&name);
        assert!(function.split('_').count() <= 6, "{name}");
    }
}
