//! The Rust files and the `auth.toml` that `cargo auth` reads.

use serde_json::Value;
use syn::spanned::Spanned;
use syn::{Attribute, Item, ItemFn, ItemStruct};

use super::package::{FILES, File, Package, files, on_large_stack};
use crate::cargo_auth::report::{Failure, Format};
use crate::cargo_auth::workspace::Workspace;
use crate::cargo_auth::{check, list, routes};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "rust_sources",
    cost: 100,
    dictionary: &[
        "=== src/lib.rs\n",
        "=== src/main.rs\n",
        "=== src/admin.rs\n",
        "=== src/admin/log.rs\n",
        "=== src/admin/mod.rs\n",
        "=== auth.toml\n",
        "mod admin;\n",
        "mod log;\n",
        "#[path = \"main.rs\"]\n",
        "mod m {\n",
        "}\n",
        "use auth_runtime::{self, public, requires};\n",
        "use super::*;\n",
        "use axum::{Router, routing::{self, get}};\n",
        "#[requires(role = \"admin\")]\n",
        "#[requires(scope = \"orders:read\", hide_as = 404)]\n",
        "#[auth_runtime::requires(can = \"read\", on = \"Order::{order}\")]\n",
        "#[public(reason = \"x\")]\n",
        "#[cfg(test)]\n",
        "#[cfg(feature = \"f\")]\n",
        "#[cfg_attr(unix, requires(authenticated))]\n",
        "#[tokio::test]\n",
        "async fn f() {}\n",
        "async fn g(guard: Guard<policy_of_f>) {}\n",
        "fn app() -> Router { Router::new().route(\"/\", get(f)) }\n",
        ".merge_unguarded(\"x\", &[\"/\"], app())",
        ".adopt(app(), \"x\")",
        ".nest(\"/n\", app())",
        ".merge(app())",
        ".fallback(f)",
        ".layer(from_fn(check))",
        ".route(\"/{id}\", get(f).post(async || 1))",
        "// unguarded: x\n",
        "macro_rules! m { ($($t:tt)*) => { #[requires($($t)*)] }; }\n",
        "routes!(f)",
        "struct Files;\n",
        "impl Files {",
        "let it = ",
        "match x { 1 => ",
        "if x { ",
        "} else { ",
        "loop {",
        "async move {",
        "\"\\u{1b}[2J\"",
        "\"\u{202e}\"",
        "r#",
        "/*",
        "*/",
        "'a",
        "#!",
    ],
    start,
};

/// The maximum length of an input: the time for operators in a row, which are no delimiters, grows with the
/// square of their number.
const MAX_LENGTH: usize = 6 * 1024;

const LIBRARY: &str = "src/lib.rs";

fn start() -> Check {
    let package = Package::new();
    Box::new(move |input| {
        if input.len() > MAX_LENGTH {
            return Outcome::of("too long");
        }
        let [files, _] = files(input);
        on_large_stack(|| examine(&package, &files))
    })
}

/// The results of the commands, as JSON.
#[derive(Clone, Debug, PartialEq)]
struct Results {
    list: Result<Value, String>,
    check: Result<Value, String>,
    routes: Value,
}

impl Results {
    fn of(workspace: &Workspace) -> Self {
        let value = |text: Result<String, Failure>| match text {
            Ok(text) => Ok(serde_json::from_str(&text).expect("JSON")),
            Err(failure) => Err(failure.to_string()),
        };
        let checked = check::run(workspace, Format::Json, false, false);
        Self {
            list: value(list::run(workspace, Format::Json)),
            check: value(checked.map(|report| report.text)),
            routes: value(routes::run(workspace, Format::Json)).expect("unread files are named"),
        }
    }

    /// Moves the places in a file from a line on by one line.
    fn moved(mut self, file: &str, from: u64) -> Self {
        for value in [&mut self.list, &mut self.check] {
            let _ = value.as_mut().map(|value| move_places(value, file, from));
        }
        move_places(&mut self.routes, file, from);
        self
    }

    fn policies(&self) -> &[Value] {
        let list = self.list.as_ref().ok();
        let policies = list.and_then(|list| list["policies"].as_array());
        policies.map_or(&[], Vec::as_slice)
    }

    fn findings(&self) -> &[Value] {
        let findings = self.check.as_ref().ok().and_then(Value::as_array);
        findings.map_or(&[], Vec::as_slice)
    }
}

fn move_places(value: &mut Value, file: &str, from: u64) {
    match value {
        Value::Array(values) => {
            for value in values {
                move_places(value, file, from);
            }
        }
        Value::Object(object) => {
            let line = object.get("line").and_then(Value::as_u64);
            if let Some(line) = line.filter(|line| object["file"] == file && *line >= from) {
                object["line"] = (line + 1).into();
            }
            for value in object.values_mut() {
                move_places(value, file, from);
            }
        }
        _ => {}
    }
}

fn examine(package: &Package, files: &[File]) -> Outcome {
    let workspace = package.write(files);
    let results = Results::of(&workspace);
    assert_eq!(results, Results::of(&workspace), "a second time");
    // One of the formats, since each report reads the files again.
    let length: usize = files.iter().map(|(_, text)| text.len()).sum();
    check_texts(
        &workspace,
        &results,
        [Format::Text, Format::Sarif][length % 2],
    );
    let (list, check) = match (&results.list, &results.check) {
        (Ok(list), Ok(check)) => (list, check),
        (list, check) => {
            assert_eq!(list, check, "the same reason");
            let reason = list.as_ref().expect_err("a reason");
            assert_eq!(results.routes["unread"][0], reason.as_str());
            return Outcome::of_messages([reason]);
        }
    };
    for value in [list, check, &results.routes] {
        check_places(value, files);
    }
    let text = |name: &str| {
        let (_, text) = files.iter().find(|(own, _)| own == name)?;
        std::str::from_utf8(text).ok()
    };
    let library = text(LIBRARY).unwrap_or_default();
    check_attributes(library, &results);
    let with_library = |text: String| {
        let others = files.iter().filter(|(name, _)| name != LIBRARY).cloned();
        let changed = others.chain([(LIBRARY.to_owned(), text.into_bytes())]);
        Results::of(&package.write(&changed.collect::<Vec<_>>()))
    };
    let policies = results.policies().iter().map(without_place);
    let policies: Vec<_> = policies.collect();
    // Comments and spaces do not change a policy.
    if let Ok(tokens) = library.parse::<proc_macro2::TokenStream>()
        && !library.starts_with(['#', '\u{feff}'])
    {
        let printed = with_library(tokens.to_string());
        let printed = printed.policies().iter().map(without_place);
        assert_eq!(printed.collect::<Vec<_>>(), policies, "printed");
    }
    let outcome = outcome(&results);
    for line in free_lines(library) {
        let ends = library.split_inclusive('\n').take(line - 1).map(str::len);
        let at: usize = ends.sum();
        let longer = format!("{}\n{}", &library[..at], &library[at..]);
        let moved = results.clone().moved(LIBRARY, line as u64);
        assert_eq!(with_library(longer), moved, "a blank line {line}");
    }
    outcome
}

/// Returns the first line, and that below an item: an empty line there changes nothing.
fn free_lines(text: &str) -> Vec<usize> {
    let Ok(file) = syn::parse_file(text) else {
        return Vec::new();
    };
    if text.starts_with(['#', '\u{feff}']) {
        return Vec::new();
    }
    let lines: Vec<_> = text.split('\n').collect();
    let last = file.items.iter().rev().find_map(|item| {
        let end = item.span().end();
        let line = lines.get(end.line - 1)?;
        let behind: String = line.chars().skip(end.column).collect();
        (behind.trim().is_empty() && end.line < lines.len()).then_some(end.line + 1)
    });
    [1].into_iter().chain(last).collect()
}

/// Returns an entry of the list without its place.
fn without_place(policy: &Value) -> Value {
    let mut policy = policy.clone();
    let object = policy.as_object_mut().expect("an object");
    object.remove("line");
    object.remove("column");
    policy
}

/// A policy attribute at the top level, or in a module there, is listed or reported.
fn check_attributes(text: &str, results: &Results) {
    let Ok(file) = syn::parse_file(text) else {
        return;
    };
    if text.starts_with('\u{feff}') || file.shebang.is_some() || !file.attrs.iter().all(is_doc) {
        return;
    }
    let mut items: Vec<&Item> = file.items.iter().collect();
    while let Some(item) = items.pop() {
        match item {
            Item::Mod(module) if module.attrs.iter().all(is_doc) => {
                let content = module.content.iter();
                items.extend(content.flat_map(|(_, items)| items));
            }
            Item::Fn(ItemFn { attrs, .. }) | Item::Struct(ItemStruct { attrs, .. }) => {
                let Some(first) = attrs.iter().find(|it| is_policy(it)) else {
                    continue;
                };
                if !attrs.iter().all(|it| is_policy(it) || is_plain(it)) {
                    continue;
                }
                let place = first.path().span().start();
                let lines = item.span().start().line..=item.span().end().line;
                let is_here = |value: &Value| value["file"] == LIBRARY;
                let is_listed = results.policies().iter().any(|policy| {
                    is_here(policy)
                        && policy["line"] == place.line
                        && policy["column"] == place.column + 1
                });
                let is_reported = results.findings().iter().any(|finding| {
                    let line = finding["line"].as_u64().unwrap_or_default() as usize;
                    is_here(finding) && lines.contains(&line)
                });
                assert!(is_listed || is_reported, "{place:?} in {results:?}");
            }
            _ => {}
        }
    }
}

fn is_doc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
}

/// Returns whether an attribute neither is a policy nor leaves its item out.
fn is_plain(attribute: &Attribute) -> bool {
    let name = attribute.path().get_ident().map(ToString::to_string);
    matches!(
        name.as_deref(),
        Some("doc" | "must_use" | "allow" | "inline" | "deprecated")
    )
}

fn is_policy(attribute: &Attribute) -> bool {
    let segments: Vec<_> = attribute.path().segments.iter().collect();
    let is_named = |name: &syn::Ident| name == "requires" || name == "public";
    match segments.as_slice() {
        [name] => is_named(&name.ident),
        [krate, name] => krate.ident == "auth_runtime" && is_named(&name.ident),
        _ => false,
    }
}

/// Every place is in its file.
fn check_places(value: &Value, files: &[File]) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| check_places(value, files)),
        Value::Object(object) => {
            if let (Some(file), Some(line)) = (object.get("file"), object.get("line")) {
                assert!(FILES.iter().any(|name| file == name), "{value}");
                let text = files.iter().find(|(name, _)| file == name);
                let text = String::from_utf8_lossy(&text.expect("a file that was read").1);
                let line = line.as_u64().expect("a number") as usize;
                let lines: Vec<_> = text.split('\n').collect();
                assert!((1..=lines.len()).contains(&line), "{value}");
                let column = object["column"].as_u64().expect("a number") as usize;
                let length = lines[line - 1].chars().count();
                assert!((1..=length + 1).contains(&column), "{value}");
            }
            object.values().for_each(|value| check_places(value, files));
        }
        _ => {}
    }
}

/// No output has a character that controls a terminal, or that is unseen.
fn check_texts(workspace: &Workspace, results: &Results, format: Format) {
    let is_text = matches!(format, Format::Text);
    let texts = [
        list::run(workspace, format),
        check::run(workspace, format, false, is_text).map(|report| report.text),
        routes::run(workspace, format),
    ];
    for text in texts {
        match text {
            Ok(text) if !is_text => check_strings(&serde_json::from_str(&text).expect("JSON")),
            Ok(text) => assert_seen(&without_styles(&text)),
            Err(failure) => assert_seen(&failure.to_string()),
        }
    }
    for value in [&results.list, &results.check] {
        match value {
            Ok(value) => check_strings(value),
            Err(reason) => assert_seen(reason),
        }
    }
    check_strings(&results.routes);
}

fn check_strings(value: &Value) {
    match value {
        Value::String(text) => assert_seen(text),
        Value::Array(values) => values.iter().for_each(check_strings),
        Value::Object(object) => {
            // For programs, a reason is the value of the attribute; JSON escapes it.
            let others = object.iter().filter(|(name, _)| *name != "reason");
            others.for_each(|(_, value)| check_strings(value));
        }
        _ => {}
    }
}

fn assert_seen(text: &str) {
    let unseen = |it: char| {
        let is_invisible = matches!(it as u32, 0x61c | 0x200b..=0x200f | 0x2028..=0x202e);
        (it.is_control() && it != '\n') || is_invisible || matches!(it as u32, 0x2066..=0x2069)
    };
    assert!(!text.contains(unseen), "unseen: {text:?}");
}

/// Removes the styles of a terminal.
fn without_styles(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once('m') {
        Some((number, rest)) if number.bytes().all(|it| it.is_ascii_digit()) => text + rest,
        _ => text + "\u{1b}" + part,
    })
}

fn outcome(results: &Results) -> Outcome {
    let codes = results.findings().iter().map(|it| it["code"].to_string());
    let codes: std::collections::BTreeSet<_> = codes.collect();
    let sizes = ["routes", "unused"].map(|name| results.routes[name].as_array().map(Vec::len));
    let sizes = sizes.map(|size| size.unwrap_or_default().min(3));
    let kinds = results.policies().iter().map(|it| {
        let word = it["policy"].as_str().unwrap_or_default();
        let word = word.split(['(', ' ']).next().unwrap_or_default();
        (word.len(), it["cfg"].is_null(), it["mistaken"] == true)
    });
    let kinds: std::collections::BTreeSet<_> = kinds.collect();
    Outcome::of((codes, sizes, kinds))
}
