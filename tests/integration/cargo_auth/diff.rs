//! Changes between revisions, in git repositories.

use std::path::Path;
use std::process::Command;

use crate::cargo_auth::refused::made;
use crate::cargo_auth::{expect, json, run, workspace};

/// The output without a change.
const NOTHING: &str = "no access policy changed; code from macros, build scripts and `include!` is not read; tests are \
                       left out\n";

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=nobody",
            "-c",
            "user.email=nobody@example.com",
        ])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

pub(crate) fn commit(folder: &Path) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "a revision"]);
}

/// Collects all files below a folder, with their contents.
fn texts(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            texts(&entry.path(), &format!("{name}/"), found);
        } else {
            let text = std::fs::read_to_string(entry.path()).expect("a text");
            found.push((name, text));
        }
    }
}

/// Commits the shop as the first revision, below `folder` in a repository.
fn shop(name: &str, folder: &str) -> std::path::PathBuf {
    let mut files = Vec::new();
    texts(&workspace("shop"), folder, &mut files);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let repository = made(name, &files);
    git(&repository, &["init", "--quiet"]);
    commit(&repository);
    repository.join(folder)
}

pub(crate) fn replace(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).expect("a text");
    assert!(text.contains(from), "{from}");
    std::fs::write(file, text.replace(from, to)).expect("a file");
}

/// Makes one change of each kind.
fn change(shop: &Path) {
    let library = shop.join("src/lib.rs");
    // The right to write no longer implies the right to read, on all routes that require it.
    replace(&shop.join("auth.toml"), ", implies = [\"orders:read\"]", "");
    replace(
        &library,
        r#"#[requires(scope = "orders:write")]"#,
        r#"#[requires(scope = "orders:read")]"#,
    );
    replace(&library, r#""liveness probe""#, r#""asked by the cluster""#);
    replace(
        &library,
        "#[requires(policy = \"staff\")]",
        "#[requires(network = \"office\", role = \"admin\", hide_as = 404)]",
    );
    replace(
        &shop.join("src/main.rs"),
        "#[requires(network = \"cluster\")]\n",
        "",
    );
    replace(
        &library,
        "        .merge(admin::routes())\n",
        "        .merge(admin::routes())\n        .merge_unguarded(\"for the scraper\", \
         &[\"/scraped\"], scraped())\n",
    );
    replace(&shop.join("src/main.rs"), "\"1.0\"", "\"1.1\"");
    let admin = shop.join("src/admin.rs");
    replace(
        &admin,
        r#"#[requires(role = "admin", hide_as = 404)]"#,
        r#"#[requires(role = "admin")]"#,
    );
    replace(
        &admin,
        "    pub async fn users() {}\n",
        "    pub async fn people() {}\n",
    );
    replace(
        &admin,
        r#"#[requires(role = "auditor", loosen ="#,
        r#"#[requires(role = "auditor", schemes(Bearer), loosen ="#,
    );
}

#[test]
fn loosened_policies_come_first() {
    let shop = shop("loosened", "");
    change(&shop);
    let told = run(&shop, &["diff", "HEAD"]);
    assert_eq!((told.status, told.errors.as_str()), (0, ""));
    expect(&told.text, "shop.diff");
    let document = run(&shop, &["diff", "HEAD", "--format=json"]);
    expect(&document.text, "shop.diff.json");
}

#[test]
fn diff_leaves_the_repository_unchanged() {
    let shop = shop("revisions", "services/shop/");
    change(&shop);
    commit(&shop);
    git(&shop, &["tag", "second"]);
    // The files in the working tree and in the index are not read.
    std::fs::write(shop.join("src/lib.rs"), "not Rust").expect("a file");
    git(&shop, &["add", "--all"]);
    let before = git(&shop, &["status", "--porcelain"]);
    let told = run(&shop, &["diff", "HEAD~1", "second"]);
    assert_eq!((told.status, told.errors.as_str()), (0, ""));
    // The result is the same as in a repository of its own.
    expect(&told.text, "shop.diff");
    assert_eq!(git(&shop, &["status", "--porcelain"]), before);
    let nothing = run(&shop, &["diff", "second", "second"]);
    assert_eq!(nothing.text, NOTHING);
}

#[test]
fn invalid_attribute_is_changed() {
    let shop = shop("wrong", "");
    replace(
        &shop.join("src/lib.rs"),
        "realm = \"orders\"",
        "relam = \"orders\"",
    );
    let rows = json(&shop, &["diff", "HEAD", "--format=json"]);
    assert_eq!(rows[0]["path"], "shop::orders");
    assert_eq!(rows[0]["change"], "changed");
    // Both sides are invalid in the same way.
    commit(&shop);
    let rows = json(&shop, &["diff", "HEAD", "--format=json"]);
    assert_eq!(rows[0]["path"], "shop::orders");
    assert_eq!(rows[0]["change"], "changed");
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
}

#[test]
fn excused_routes_are_added_and_removed() {
    let shop = shop("open", "");
    let program = shop.join("src/main.rs");
    let route = ".route(\"/version\", axum::routing::get(async || \"1.0\"))";
    let twice = format!("{route}\n.route(\"/v\", axum::routing::get(async || \"1\"))");
    // The route has another line, but is the same.
    replace(&program, "//! The program", "\n//! The program");
    let told = run(&shop, &["diff", "HEAD"]);
    assert_eq!(told.text, NOTHING);
    // Two routes for one reason are one more than before.
    replace(&program, "// unguarded: whoever", "// unguarded: Whoever");
    let rows = json(&shop, &["diff", "HEAD", "--format=json"]);
    assert_eq!(rows[0]["change"], "added");
    assert_eq!(rows[1]["change"], "removed");
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    commit(&shop);
    let chained = format!("shop(app(), |router| router\n// unguarded: again\n{twice})");
    replace(
        &program,
        "fn main() {}",
        &format!("fn main() {{\n{chained}\n}}"),
    );
    let rows = json(&shop, &["diff", "HEAD", "--format=json"]);
    assert_eq!(rows[0]["after"], "unguarded(reason = \"again\")");
    // The next link has a line of its own, without a reason.
    assert_eq!(rows[1]["after"], "no policy, and no reason");
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    commit(&shop);
    let once_more = chained.replace("\n.route(\"/v\"", "\n// unguarded: again\n.route(\"/v\"");
    replace(&program, &chained, &once_more);
    let rows = json(&shop, &["diff", "HEAD", "--format=json"]);
    assert_eq!(rows[0]["change"], "added");
    assert_eq!(rows[1]["change"], "removed");
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
}

#[test]
fn conditional_policy_is_changed() {
    let shop = shop("conditional", "");
    let library = shop.join("src/lib.rs");
    replace(
        &library,
        "#[public(reason = \"liveness probe\")]",
        "#[cfg_attr(feature = \"open\", public(reason = \"liveness probe\"))]",
    );
    commit(&shop);
    replace(&library, "feature = \"open\"", "feature = \"opened\"");
    let rows = json(&shop, &["diff", "HEAD", "--format=json"]);
    assert_eq!(rows[0]["path"], "shop::healthz");
    assert_eq!(rows[0]["change"], "changed");
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    // Without the condition, the route always exists.
    let rows = json(&shop, &["diff", "HEAD~1", "HEAD", "--format=json"]);
    assert_eq!(rows[0]["change"], "changed");
}

#[test]
fn unknown_revision_is_an_error() {
    let shop = shop("unknown", "");
    for revision in ["nowhere", "HEAD~7", "--output=taken", ""] {
        let run = run(&shop, &["diff", "--", revision]);
        assert_eq!((run.status, run.text.as_str()), (2, ""), "{revision}");
        let reason = format!("error: unknown revision {revision:?}\n");
        assert_eq!(run.errors, reason);
    }
    assert!(!shop.join("taken").exists());
    // Before the first revision, no route existed.
    git(&shop, &["checkout", "--quiet", "--orphan", "empty"]);
    git(&shop, &["rm", "--quiet", "-r", "--cached", "."]);
    git(
        &shop,
        &["commit", "--quiet", "--allow-empty", "--message", "nothing"],
    );
    let rows = json(&shop, &["diff", "empty", "--format=json"]);
    let rows = rows.as_array().expect("rows");
    assert_eq!(rows.len(), 15);
    assert!(rows.iter().all(|row| row["change"] == "added"));
}

#[test]
fn unexcused_routes_are_reported() {
    let shop = shop("unsaid", "");
    let library = shop.join("src/lib.rs");
    let text = std::fs::read_to_string(&library).expect("a text");
    let with = |more: &str| std::fs::write(&library, format!("{text}\n{more}\n")).expect("a file");
    let told = || -> Vec<String> {
        let rows = json(&shop, &["diff", "HEAD", "--format=json"]);
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| {
            let [change, kind, target, after] =
                ["change", "kind", "target", "after"].map(|key| &row[key]);
            format!("{change} {kind} {target}: {after}").replace('"', "")
        })
        .collect()
    };
    let handlers = "async fn one() {} async fn other() {}";
    with(&format!("{handlers} fn f() {{ axum::routing::get(one); }}"));
    assert_eq!(told(), ["added unexcused one: no policy, and no reason"]);
    // The reason stays, but the route is another one.
    let for_a_reason =
        |name| format!("{handlers} fn f() {{\n// unguarded: why\naxum::routing::get({name}); }}");
    with(&for_a_reason("one"));
    commit(&shop);
    with(&for_a_reason("other"));
    assert_eq!(
        told(),
        [
            "added plain other: unguarded(reason = \\why\\)",
            "removed plain one: null",
        ]
    );
    // A router that was merged with a reason, with further routes.
    let merged = |routes| {
        format!(
            "{handlers} fn m() {{ {routes}; }} fn f() {{ g.merge_unguarded(\"why\", &[], m()); }}"
        )
    };
    with(&merged("axum::routing::get(one)"));
    commit(&shop);
    with(&merged("axum::routing::get(one).post(other)"));
    assert_eq!(
        told(),
        ["added excused other: no policy, and the reason of `merge_unguarded`"]
    );
}

/// Only a `cfg` selects one of two policies.
#[test]
fn swapped_policies_are_compared_by_condition() {
    let open = "#[auth_runtime::public(reason = \"a demo\")] pub async fn h() {}";
    let closed = "#[auth_runtime::requires(role = \"admin\")] pub async fn h() {}";
    let [of_items, of_modules] = [
        |one: &str, other: &str| format!("#[cfg(a)] {one}\n#[cfg(not(a))] {other}"),
        |one: &str, other: &str| {
            format!("#[cfg(a)] mod m {{ {one} }}\n#[cfg(not(a))] mod m {{ {other} }}")
        },
    ];
    for (name, before, after) in [
        ("of_items", of_items(closed, open), of_items(open, closed)),
        (
            "of_modules",
            of_modules(closed, open),
            of_modules(open, closed),
        ),
    ] {
        // In the order of the source.
        let parts: Vec<_> = after.split('\n').collect();
        let after = [parts[1], parts[0]].join("\n");
        let files = [
            ("Cargo.toml", crate::cargo_auth::refused::MANIFEST),
            ("src/lib.rs", before.as_str()),
        ];
        let folder = made(&format!("places/{name}"), &files);
        git(&folder, &["init", "--quiet"]);
        commit(&folder);
        std::fs::write(folder.join("src/lib.rs"), &after).expect("a file");
        let rows = json(&folder, &["diff", "HEAD", "--format=json"]);
        let rows = rows.as_array().expect("rows");
        let changes: Vec<_> = rows.iter().map(|row| &row["change"]).collect();
        assert_eq!(changes, ["loosened", "tightened"], "{rows:#?}");
    }
}

/// Git tells a hook its repository by environment variables.
#[test]
fn diff_works_in_a_git_hook() {
    let shop = shop("hook", "services/shop/");
    let top = shop.join("../..");
    let output = Command::new(crate::cargo_auth::program())
        .args(["auth", "diff", "HEAD"])
        .current_dir(&shop)
        .env("GIT_DIR", top.join(".git"))
        .env("GIT_INDEX_FILE", "/nowhere")
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text, NOTHING, "{output:?}");
}

#[test]
fn missing_repository_is_reported() {
    let files = [
        ("Cargo.toml", crate::cargo_auth::refused::MANIFEST),
        ("src/lib.rs", ""),
    ];
    // The folder of the tests is in a repository.
    let folder = std::env::temp_dir().join(format!("cargo-auth-test-{}", std::process::id()));
    for (file, text) in files {
        let file = folder.join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    }
    let run = run(&folder, &["diff", "HEAD"]);
    std::fs::remove_dir_all(&folder).expect("a folder");
    assert_eq!(run.status, 2);
    let said = "error: this is not a working tree of git: ";
    assert!(run.errors.starts_with(said), "{}", run.errors);
}
