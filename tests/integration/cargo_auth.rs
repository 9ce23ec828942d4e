//! The installed program `cargo auth`: it runs on workspaces, and its whole output is compared.
//! Each folder of `cargo_auth/` is a workspace, next to its expected output. `CARGO_AUTH=overwrite`
//! writes these files anew.

mod beside_policies;
mod chains;
mod checkout;
mod comparisons;
mod conditions;
mod configurations;
mod diff;
mod grep;
mod macros;
mod manifests;
mod names;
mod objects;
mod patterns;
mod plain_routers;
mod reasons;
mod refused;
mod revisions;
mod router;
mod routes;
mod same_paths;
mod sarif;
mod selection;
mod spellings;
mod unmounted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use auth_tests::programs::build;
use serde_json::Value;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> &'static Path {
    here().parent().expect("the workspace")
}

/// Returns a workspace of `cargo_auth/`.
fn workspace(name: &str) -> PathBuf {
    here().join("cargo_auth").join(name)
}

/// Builds the programs of the workspace once, and returns the path of one.
fn built(name: &str) -> &'static Path {
    static PROGRAMS: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| build(&[]));
    PROGRAMS.get(name).expect("the program")
}

/// The path of `cargo-auth`.
fn program() -> &'static Path {
    built("cargo-auth")
}

/// The result of a run.
#[derive(Debug)]
struct Run {
    text: String,
    errors: String,
    status: i32,
}

/// The program with arguments in a folder, as `cargo auth …` runs it.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.arg("auth").args(arguments).current_dir(folder);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    output_of(command(folder, arguments))
}

fn output_of(mut command: Command) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it runs");
    Run {
        text: String::from_utf8(stdout).expect("text"),
        errors: String::from_utf8(stderr).expect("text"),
        status: status.code().expect("it ends by itself"),
    }
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let Run { text, errors, .. } = run(folder, arguments);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {errors}"))
}

/// Compares a text with a file beside the workspaces.
fn expect(text: &str, file: &str) {
    let file = here().join("cargo_auth").join(file);
    if std::env::var("CARGO_AUTH").is_ok_and(|it| it == "overwrite") {
        std::fs::write(&file, text).expect("a file");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "{}", file.display());
}

#[test]
fn every_policy_is_listed() {
    let shop = workspace("shop");
    let text = run(&shop, &["list"]);
    assert_eq!((text.status, text.errors.as_str()), (0, ""));
    expect(&text.text, "shop.list");
    let document = run(&shop, &["list", "--format=json"]);
    expect(&document.text, "shop.list.json");
    // The same from another folder.
    let manifest = shop.join("Cargo.toml");
    let manifest = manifest.to_str().expect("a path");
    let elsewhere = run(root(), &["list", "--manifest-path", manifest]);
    assert_eq!(elsewhere.text, text.text);
}

/// Only rustup reads the name of the toolchain. The variables are those that cargo sets for its subcommands.
#[test]
fn missing_toolchain_is_not_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let list = || {
        let mut command = command(folder.path(), &["list"]);
        command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
        output_of(command)
    };
    std::fs::create_dir(folder.path().join("src")).expect("a folder");
    file("src/lib.rs", "");
    file("rust-toolchain", "no-such-toolchain");
    let package = "[package]\nname = \"empty\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    file("Cargo.toml", package);
    let listed = list();
    assert_eq!((listed.status, listed.errors.as_str()), (0, ""));
    file("Cargo.toml", "[package]");
    let refused = list();
    assert_eq!(refused.status, 2);
    assert!(
        refused.errors.contains("the workspace cannot be read"),
        "{}",
        refused.errors
    );
}

#[test]
fn a_workspace_in_order_passes() {
    let checked = run(&workspace("shop"), &["check"]);
    assert_eq!(checked.status, 0);
    expect(&checked.text, "shop.check");
}

#[test]
fn hidden_mistakes_are_found() {
    let careless = workspace("careless");
    let checked = run(&careless, &["check"]);
    assert_eq!((checked.status, checked.errors.as_str()), (1, ""));
    expect(&checked.text, "careless.check");
    let document = run(&careless, &["check", "--format=json"]);
    assert_eq!(document.status, 1);
    expect(&document.text, "careless.check.json");
}

/// A pipe receives no colours, as the other tests show.
#[test]
fn colours_are_for_terminals() {
    let careless = workspace("careless");
    for command in ["check", "list"] {
        let mut coloured = Command::new(program());
        coloured.args(["auth", command]).current_dir(&careless);
        let coloured = coloured.env("CLICOLOR_FORCE", "1").output();
        let coloured = String::from_utf8(coloured.expect("it runs").stdout).expect("text");
        let colour = regex_lite::Regex::new("\x1b\\[[0-9;]*m").expect("a pattern");
        let plain = colour.replace_all(&coloured, "");
        assert!(coloured.len() > plain.len() + 100, "{coloured:?}");
        assert_eq!(plain, run(&careless, &[command]).text);
    }
}

/// The fixture marks each finding at the end of its line, except deliberately merged routes.
#[test]
fn plain_routes_are_found_exactly() {
    let careless = workspace("careless");
    let source = std::fs::read_to_string(careless.join("src/main.rs")).expect("a text");
    let found = json(&careless, &["check", "--format=json"]);
    let lines: Vec<usize> = found
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["code"] == "AUTH0101")
        .map(|finding| finding["line"].as_u64().expect("a number") as usize)
        .collect();
    for (index, line) in source.lines().enumerate() {
        let expected = line.matches("// found").count();
        let found = lines.iter().filter(|found| **found == index + 1).count();
        assert_eq!(found, expected, "{}: {line}", index + 1);
    }
    // The list of policies must not look complete.
    let listed = run(&careless, &["list"]).text;
    let more = format!(
        "\n{} more routes on plain routers, without a policy: see `cargo auth check`\n",
        lines.len()
    );
    assert!(listed.contains(&more), "{listed}");
    assert!(
        !run(root(), &["list", "-p", "auth-examples"])
            .text
            .contains(" more route")
    );
}

#[test]
fn allow_unguarded_accepts_reasons() {
    let careless = workspace("careless");
    let codes = |arguments: &[&str]| {
        let found = json(&careless, arguments);
        let found = found.as_array().expect("findings").clone();
        let codes = found.iter().map(|finding| finding["code"].to_string());
        codes.collect::<Vec<_>>()
    };
    let mut all = codes(&["check", "--format=json"]);
    let allowed = codes(&["check", "--format=json", "--allow-unguarded"]);
    assert_eq!(all.iter().filter(|code| *code == "\"AUTH0102\"").count(), 3);
    all.retain(|code| code != "\"AUTH0102\"");
    assert_eq!(all, allowed);
}

#[test]
fn selected_package_is_read_with_all() {
    let all = json(root(), &["list", "--format=json"]);
    let of_runtime = json(root(), &["list", "--format=json", "-p", "auth-runtime"]);
    let of_examples = json(root(), &["list", "--format=json", "-p", "auth-examples"]);
    let all = all["policies"].as_array().expect("policies");
    let of_examples = of_examples["policies"].as_array().expect("policies");
    assert!(of_examples.len() > 10, "{of_examples:#?}");
    assert!(of_examples.iter().all(|policy| all.contains(policy)));
    assert_eq!(of_runtime["policies"], Value::Array(Vec::new()));
}

#[test]
fn every_code_is_explained() {
    let pages = std::fs::read_dir(root().join("auth-runtime/catalogue")).expect("pages");
    let mut number = 0;
    for page in pages {
        let page = page.expect("a page").path();
        let code = page.file_stem().expect("a name").to_string_lossy();
        let explained = run(root(), &["explain", &code.to_lowercase()]);
        assert_eq!(explained.status, 0, "{code}");
        let title = format!("# {code}: ");
        assert!(explained.text.starts_with(&title), "{}", explained.text);
        assert!(!explained.text.contains("# use"), "{}", explained.text);
        number += 1;
    }
    assert!(number > 37, "{number}");
    let unknown = run(root(), &["explain", "AUTH9999"]);
    assert_eq!((unknown.status, unknown.text.as_str()), (2, ""));
    assert!(unknown.errors.contains("AUTH9999"), "{}", unknown.errors);
}

/// The tool reads the same files as the compiler (the Rust reference, "Module source filenames").
#[test]
fn modules_are_found_like_the_compiler() {
    let policy = "#[auth_runtime::requires(authenticated)] async fn h() {}\n";
    let with = |modules: &str| format!("{policy}{modules}");
    let root = with(
        "mod a; mod b; mod inline { mod c; #[path = \"other.rs\"] mod d; }\n#[path = \
         \"elsewhere/e.rs\"] mod e;\n#[cfg_attr(x, path = \"elsewhere/one.rs\")] \
         #[cfg_attr(not(x), path = \"elsewhere/two.rs\")] mod f;\n#[cfg_attr(windows, path = \
         \"elsewhere/windows.rs\")] mod g;\n#[cfg(windows)] mod not_here;\n#[cfg(test)] mod \
         nor_here;\n",
    );
    let a = with(
        "mod deep; mod inline { mod x; #[path = \"y.rs\"] mod y; }\n\
         #[path = \"beside.rs\"] mod v; #[path = \"folder\"] mod w { mod z; }\n",
    );
    let [b, e] = ["mod deep;", "mod deep;"].map(with);
    let files = [
        ("Cargo.toml", refused::MANIFEST),
        ("src/lib.rs", &root),
        ("src/a.rs", &a),
        ("src/a/deep.rs", policy),
        ("src/a/inline/x.rs", policy),
        ("src/a/inline/y.rs", policy),
        ("src/beside.rs", policy),
        ("src/folder/z.rs", policy),
        ("src/b/mod.rs", &b),
        ("src/b/deep.rs", policy),
        ("src/inline/c.rs", policy),
        ("src/inline/other.rs", policy),
        ("src/elsewhere/e.rs", &e),
        ("src/elsewhere/deep.rs", policy),
        ("src/elsewhere/one.rs", policy),
        ("src/elsewhere/two.rs", policy),
        ("src/elsewhere/windows.rs", policy),
        ("src/g.rs", policy),
        ("src/nobody_names_it.rs", policy),
        ("src/bin/tool.rs", policy),
        ("examples/show.rs", policy),
        ("tests/left_out.rs", policy),
    ];
    let listed = json(
        &refused::made("modules", &files),
        &["list", "--format=json"],
    );
    let rows = listed["policies"].as_array().expect("policies").iter();
    let rows: Vec<_> = rows
        .map(|row| format!("{} {}", row["file"], row["path"]).replace('"', ""))
        .collect();
    assert_eq!(
        rows,
        [
            "examples/show.rs show::h",
            "src/a.rs it::a::h",
            "src/a/deep.rs it::a::deep::h",
            "src/a/inline/x.rs it::a::inline::x::h",
            "src/a/inline/y.rs it::a::inline::y::h",
            "src/b/deep.rs it::b::deep::h",
            "src/b/mod.rs it::b::h",
            "src/beside.rs it::a::v::h",
            "src/bin/tool.rs tool::h",
            "src/elsewhere/deep.rs it::e::deep::h",
            "src/elsewhere/e.rs it::e::h",
            "src/elsewhere/one.rs it::f::h",
            "src/elsewhere/two.rs it::f::h",
            "src/elsewhere/windows.rs it::g::h",
            "src/folder/z.rs it::a::w::z::h",
            "src/g.rs it::g::h",
            "src/inline/c.rs it::inline::c::h",
            "src/inline/other.rs it::inline::d::h",
            "src/lib.rs it::h",
        ]
    );
}

#[test]
fn build_conditions_are_listed() {
    let policy = "#[auth_runtime::requires(authenticated)] async fn h() {}\n";
    let root = format!(
        "#[cfg(a)]\n{policy}#[cfg(b)] mod m;\n#[cfg(c)] fn f() {{\n#[cfg(d)]\n{policy}}}\nmod \
         always {{\n{policy}}}\n#[cfg(e)] cfg_if::cfg_if! {{ if #[cfg(f)] {{ mod n; }} else if \
         #[cfg(g)] {{\n{policy}}} else {{\n{policy}}} }}\n"
    );
    let files = [
        ("Cargo.toml", refused::MANIFEST),
        ("src/lib.rs", &root),
        ("src/m.rs", &format!("#![cfg(feature = \"x\")]\n{policy}")),
        ("src/n.rs", policy),
    ];
    let listed = json(&refused::made("cfg", &files), &["list", "--format=json"]);
    let rows = listed["policies"].as_array().expect("policies").iter();
    let rows: Vec<_> = rows
        .map(|row| format!("{} {}", row["path"], row["cfg"]).replace(['"', '\\'], ""))
        .collect();
    assert_eq!(
        rows,
        [
            "it::h a",
            "it::f::h all(c, d)",
            "it::always::h null",
            "it::h all(all(e, not(f)), g)",
            "it::h all(all(e, not(f)), not(g))",
            "it::m::h all(b, feature = x)",
            "it::n::h all(e, f)",
        ]
    );
}
