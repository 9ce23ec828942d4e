//! Changes of policies with a mistake or a `cfg`, and of the packages that are selected.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cargo_auth::diff::{commit, git, replace};
use crate::cargo_auth::refused::{MANIFEST, made};
use crate::cargo_auth::{json, run};

/// Returns the changes since `HEAD`, each with the path of the item, or with the kind and the target.
pub(crate) fn changes(folder: &Path, more: &[&str]) -> Vec<String> {
    let rows = json(
        folder,
        &[&["diff", "--format=json"], more, &["HEAD"]].concat(),
    );
    let rows = rows.as_array().expect("rows").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.map(|row| {
        let [change, kind, path, target] =
            ["change", "kind", "path", "target"].map(|key| text(&row[key]));
        if path.is_empty() {
            format!("{change} {kind} {target}").trim_end().to_owned()
        } else {
            format!("{change} {path}")
        }
    })
    .collect()
}

/// Commits a crate with this source, and writes another one.
pub(crate) fn crate_with(name: &str, before: &str, after: &str) -> PathBuf {
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", before)];
    let folder = made(&format!("revisions/{name}"), &files);
    git(&folder, &["init", "--quiet"]);
    commit(&folder);
    std::fs::write(folder.join("src/lib.rs"), after).expect("a file");
    folder
}

/// An attribute with a mistake has no certain meaning, on either side.
#[test]
fn policies_with_a_mistake_are_changed() {
    let invalid = "#[auth_runtime::requires(role = \"a\", relam = \"x\")]\nasync fn h() {}";
    let valid = "#[auth_runtime::requires(role = \"a\")]\nasync fn h() {}";
    for (name, before, after, expected) in [
        ("corrected", invalid, valid, &["changed it::h"][..]),
        ("mistaken", valid, invalid, &["changed it::h"]),
        ("as_before", invalid, invalid, &["changed it::h"]),
        ("in_order", valid, valid, &[]),
    ] {
        let folder = crate_with(name, before, after);
        assert_eq!(changes(&folder, &[]), expected, "{name}");
    }
    // The meaning of a name is unknown as well, if its vocabulary is invalid.
    let folder = crate_with("vocabulary", valid, valid);
    let file = folder.join("auth.toml");
    std::fs::write(&file, "[roles]\na = \"A\"\n").expect("a file");
    commit(&folder);
    std::fs::write(&file, "[roles]\na = \"\"\n").expect("a file");
    assert_eq!(changes(&folder, &[]), ["changed it::h"]);
}

/// Policies in a file that is missing or invalid are not just added or removed.
#[test]
fn unreadable_sources_are_not_compared() {
    let handler = "#[auth_runtime::requires(role = \"a\")]\nasync fn h() {}\n";
    let folder = crate_with("unreadable", "mod m;\n", handler);
    let missing = "src/lib.rs:1:5: the file of the module `m` is missing\n";
    let refused = |arguments: &[&str]| {
        let run = run(&folder, &[&["diff"], arguments].concat());
        assert_eq!((run.status, run.text.as_str()), (2, ""), "{arguments:?}");
        run.errors
    };
    assert_eq!(refused(&["HEAD"]), format!("error: at HEAD: {missing}"));
    commit(&folder);
    let error = format!("error: at HEAD~1: {missing}");
    assert_eq!(refused(&["HEAD~1"]), error);
    assert_eq!(refused(&["HEAD", "HEAD~1"]), error);
    std::fs::write(folder.join("src/lib.rs"), "mod m;\n").expect("a file");
    assert_eq!(refused(&["HEAD"]), format!("error: {missing}"));
}

/// A handler that exists without its policy is not merely removed.
#[test]
fn handlers_without_former_policy_are_loosened() {
    let policy = "#[auth_runtime::requires(role = \"a\")]\n";
    let [one, other] = ["#[cfg(a)]\n", "#[cfg(not(a))]\n"];
    let handler = "pub async fn h() {}\n";
    let both = format!("{one}{policy}{handler}{other}{policy}{handler}");
    let elsewhere = format!("mod m {{ {policy}{handler} }}\n");
    for (name, before, after, expected) in [
        (
            "of_one",
            format!("{policy}{handler}"),
            handler.to_owned(),
            &["loosened it::h"][..],
        ),
        (
            "of_a_service",
            format!("{policy}pub struct S;\n"),
            "pub struct S;\n".to_owned(),
            &["loosened it::S"],
        ),
        (
            "of_the_second",
            both.clone(),
            format!("{one}{policy}{handler}{other}{handler}"),
            &["loosened it::h"],
        ),
        (
            "of_the_first",
            both.clone(),
            format!("{one}{handler}{other}{policy}{handler}"),
            &["loosened it::h"],
        ),
        (
            "of_both",
            both.clone(),
            format!("{one}{handler}{other}{handler}"),
            &["loosened it::h", "loosened it::h"],
        ),
        (
            "with_the_handler",
            both,
            format!("{one}{policy}{handler}"),
            &["removed it::h"],
        ),
        (
            "by_a_move",
            format!("{policy}{handler}"),
            format!("{elsewhere}use m::h;\n"),
            &["added it::m::h", "removed it::h"],
        ),
        (
            "of_a_module",
            elsewhere.replace("mod m", "#[auth_runtime::requires(scope = \"b\")]\nmod m"),
            elsewhere.replace(policy, ""),
            &["loosened it::m::h"],
        ),
        (
            "beside_a_module_of_that_name",
            format!("{policy}{handler}mod h {{}}\n"),
            "mod h {}\n".to_owned(),
            &["removed it::h"],
        ),
        (
            "for_tests",
            format!("{policy}{handler}"),
            format!("#[cfg(test)]\n{handler}"),
            &["removed it::h"],
        ),
    ] {
        let folder = crate_with(name, &before, &after);
        assert_eq!(changes(&folder, &[]), expected, "{name}");
    }
}

/// Macros are not expanded: of their policies, the text and the beginning of the item count.
#[test]
fn policies_in_macros_compare_by_text() {
    let closed = "#[$crate::__private::requires(role = \"a\")]";
    let open = "#[$crate::__private::public(reason = \"x\")]";
    let handlers = |one: &str, other: &str| {
        format!(
            "macro_rules! handlers {{ () => {{ {one} pub async fn f() {{}} {other} #[inline] pub async fn g() {{}} }} }}\n"
        )
    };
    let before = handlers(closed, open);
    let within = |text: &str| format!("fn all() {{ {text} }}\n");
    let [added, removed] = ["added", "removed"].map(|it| format!("{it} macro handlers"));
    let one_each = [added.clone(), removed.clone()];
    let two_each = [
        added.clone(),
        added.clone(),
        removed.clone(),
        removed.clone(),
    ];
    for (name, before, after, expected) in [
        (
            "opened",
            before.clone(),
            handlers(open, open),
            &one_each[..],
        ),
        ("swapped", before.clone(), handlers(open, closed), &two_each),
        (
            "in_a_body",
            within(&before),
            within(&handlers(open, open)),
            &one_each,
        ),
        (
            "new",
            String::new(),
            before.clone(),
            &[added.clone(), added.clone()],
        ),
        (
            "as_before",
            before.clone(),
            format!("\n{}", before.replace(" pub", "\npub")),
            &[],
        ),
    ] {
        let folder = crate_with(&format!("macros/{name}"), &before, &after);
        assert_eq!(changes(&folder, &[]), expected, "{name}");
    }
    let folder = crate_with("macros/shown", &before, &handlers(open, open));
    let rows = json(&folder, &["diff", "--format=json", "HEAD"]);
    assert_eq!(rows[0]["after"], format!("{open} pub async fn f"));
    assert_eq!(rows[1]["before"], format!("{closed} pub async fn f"));
    let text = run(&folder, &["diff", "HEAD"]).text;
    assert!(text.ends_with("\n\n2 changes; code from macros, build scripts and `include!` is not read; tests are left out\n"), "{text}");
}

/// Conditions of files and of modules count like those of handlers.
#[test]
fn condition_of_every_kind_is_compared() {
    let handler = "#[auth_runtime::requires(role = \"a\")]\npub async fn h() {}\n";
    let within = "#[auth_runtime::requires(role = \"a\")]\nmod m { pub async fn h() {} }\n";
    for (name, before, path) in [
        ("item", format!("#[cfg(a)]\n{handler}"), "it::h"),
        ("file", format!("#![cfg(a)]\n{handler}"), "it::h"),
        (
            "module",
            format!("#[cfg(a)]\nmod m {{ {handler} }}"),
            "it::m::h",
        ),
        (
            "inner",
            format!("mod m {{ #![cfg(a)]\n{handler} }}"),
            "it::m::h",
        ),
        (
            "modules",
            format!("#[cfg(a)]\nmod m {{ mod n {{ {handler} }} }}"),
            "it::m::n::h",
        ),
        ("policy_module", format!("#[cfg(a)]\n{within}"), "it::m::h"),
        (
            "function",
            format!("#[cfg(a)]\nfn f() {{\n{handler}}}"),
            "it::f::h",
        ),
    ] {
        for (kind, after) in [
            ("other", before.replace("cfg(a)", "cfg(b)")),
            (
                "none",
                before
                    .replace("#[cfg(a)]\n", "")
                    .replace("#![cfg(a)]\n", ""),
            ),
        ] {
            let folder = crate_with(&format!("cfg/{name}/{kind}"), &before, &after);
            let expected = [format!("changed {path}")];
            assert_eq!(changes(&folder, &[]), expected, "{name} {kind}");
        }
    }
    // The attribute of a module may depend on a condition itself.
    let policy = "auth_runtime::requires(role = \"a\")";
    let [before, after] = ["a", "b"].map(|condition| {
        format!("#[cfg_attr({condition}, {policy})]\nmod m {{ pub async fn h() {{}} }}\n")
    });
    for (kind, after) in [
        ("other", after),
        (
            "none",
            format!("#[{policy}]\nmod m {{ pub async fn h() {{}} }}\n"),
        ),
    ] {
        let folder = crate_with(&format!("cfg/policy/{kind}"), &before, &after);
        assert_eq!(changes(&folder, &[]), ["changed it::m::h"], "{kind}");
    }
}

/// A workspace of two packages that share a vocabulary.
pub(crate) fn two_packages(name: &str) -> PathBuf {
    let manifest = |name: &str| {
        format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n[dependencies]\nauth-runtime = \"0.1\"\n"
        )
    };
    let source = |scope: &str| {
        format!("#[auth_runtime::requires(scope = \"{scope}\")]\npub async fn h() {{}}\n")
    };
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"one\", \"other\"]\nresolver = \"3\"\n".to_owned(),
        ),
        (
            "auth.toml",
            "[scopes]\none = \"One\"\nother = \"Other\"\n".to_owned(),
        ),
        ("one/Cargo.toml", manifest("one")),
        ("one/src/lib.rs", source("one")),
        ("other/Cargo.toml", manifest("other")),
        ("other/src/lib.rs", source("other")),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let folder = made(name, &files);
    git(&folder, &["init", "--quiet"]);
    commit(&folder);
    folder
}

#[test]
fn only_selected_packages_are_compared() {
    let folder = two_packages("selected");
    for package in [&[][..], &["-p", "one"], &["-p", "other"]] {
        assert_eq!(
            changes(&folder, package),
            Vec::<String>::new(),
            "{package:?}"
        );
    }
    for package in ["one", "other"] {
        let library = folder.join(package).join("src/lib.rs");
        replace(
            &library,
            "pub async fn h() {}",
            "pub async fn h() {}\nasync fn plain() {}",
        );
        replace(&library, &format!("scope = \"{package}\""), "authenticated");
        let route = "\nfn f() { axum::routing::get(plain); }\n";
        let text = std::fs::read_to_string(&library).expect("a text");
        std::fs::write(&library, text + route).expect("a file");
    }
    let of = |package: &str| {
        [
            format!("loosened {package}::h"),
            "added unexcused plain".to_owned(),
        ]
    };
    for package in ["one", "other"] {
        assert_eq!(changes(&folder, &["-p", package]), of(package));
    }
    let [one, open] = of("one");
    let [other, _] = of("other");
    let both = [one, other, open.clone(), open];
    assert_eq!(changes(&folder, &[]), both);
    assert_eq!(changes(&folder, &["-p", "one", "-p", "other"]), both);
    // Between two revisions.
    commit(&folder);
    let rows = json(
        &folder,
        &["diff", "--format=json", "-p", "one", "HEAD~1", "HEAD"],
    );
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows:#}");
    // A package that did not exist yet.
    let third = folder.join("third");
    std::fs::create_dir_all(third.join("src")).expect("a folder");
    for file in ["Cargo.toml", "src/lib.rs"] {
        let text = std::fs::read_to_string(folder.join("one").join(file)).expect("a text");
        let text = text.replace("name = \"one\"", "name = \"third\"");
        std::fs::write(third.join(file), text).expect("a file");
    }
    replace(
        &folder.join("Cargo.toml"),
        "\"other\"]",
        "\"other\", \"third\"]",
    );
    assert_eq!(
        changes(&folder, &["-p", "third"]),
        ["added unexcused plain", "added third::h"]
    );
    assert_eq!(changes(&folder, &["-p", "one"]), Vec::<String>::new());
}

/// The settings besides the allowed callers are part of a policy too.
#[test]
fn every_setting_is_compared() {
    let handler = |arguments: &str| {
        format!("#[auth_runtime::requires(role = \"a\"{arguments})]\nasync fn h() {{}}\n")
    };
    let public = |arguments: &str| {
        format!("#[auth_runtime::public(reason = \"why\"{arguments})]\nasync fn h() {{}}\n")
    };
    for (name, before, after, expected) in [
        ("hide", handler(", hide_as = 404"), handler(""), "loosened"),
        (
            "shown",
            handler(""),
            handler(", hide_as = 404"),
            "tightened",
        ),
        (
            "unless",
            handler(", hide_as = 404"),
            handler(", hide_as = 404, hide_unless = authenticated"),
            "loosened",
        ),
        (
            "schemes",
            handler(", schemes(Basic)"),
            handler(", schemes(Basic, Bearer)"),
            "loosened",
        ),
        (
            "order",
            handler(", schemes(Basic, Bearer)"),
            handler(", schemes(Bearer, Basic)"),
            "restated",
        ),
        (
            "realm",
            handler(", realm = \"x\""),
            handler(", realm = \"y\""),
            "restated",
        ),
        ("says", handler(", says = \"No.\""), handler(""), "restated"),
        (
            "identity",
            public(""),
            public(", identity = optional"),
            "restated",
        ),
        ("public", handler(""), public(""), "loosened"),
        ("closed", public(""), handler(""), "tightened"),
    ] {
        let folder = crate_with(&format!("settings/{name}"), &before, &after);
        assert_eq!(
            changes(&folder, &[]),
            [format!("{expected} it::h")],
            "{name}"
        );
    }
}
