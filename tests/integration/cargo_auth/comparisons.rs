//! The comparison of two revisions: networks, conditions, places, and routes without a policy.

use std::process::Command;

use crate::cargo_auth::diff::{commit, git, replace};
use crate::cargo_auth::refused::{MANIFEST, made};
use crate::cargo_auth::revisions::{changes, crate_with};
use crate::cargo_auth::{json, program, run};

/// The blocks of a network decide, and not its name.
#[test]
fn networks_are_compared_by_their_blocks() {
    let vocabulary = |blocks: &str| format!("[networks]\noffice = {blocks}\n");
    let handler = "#[auth_runtime::requires(any(network = \"office\", role = \"a\"))]\n\
                   async fn h() {}\n\
                   #[auth_runtime::requires(role = \"b\", hide_as = 404, hide_unless = network(\"office\"))]\n\
                   async fn hidden() {}\n";
    let narrow = vocabulary("\"192.0.2.0/24\"");
    for (name, before, after, expected) in [
        (
            "wider",
            narrow.clone(),
            vocabulary("\"192.0.0.0/16\""),
            &["loosened it::h", "loosened it::hidden"][..],
        ),
        (
            "more",
            narrow.clone(),
            vocabulary("[\"192.0.2.0/24\", \"198.51.100.0/24\"]"),
            &["loosened it::h", "loosened it::hidden"],
        ),
        (
            "narrower",
            narrow.clone(),
            vocabulary("\"192.0.2.0/25\""),
            &["tightened it::h", "tightened it::hidden"],
        ),
        (
            "another",
            narrow.clone(),
            vocabulary("\"203.0.113.0/24\""),
            &["changed it::h", "changed it::hidden"],
        ),
        ("equal", narrow.clone(), narrow.clone() + "\n", &[]),
    ] {
        // The vocabulary declares no other names.
        let more = "[roles]\na = \"A\"\nb = \"B\"\n";
        let folder = crate_with(&format!("networks/{name}"), handler, handler);
        let file = folder.join("auth.toml");
        std::fs::write(&file, before + more).expect("a file");
        commit(&folder);
        std::fs::write(&file, after + more).expect("a file");
        assert_eq!(changes(&folder, &[]), expected, "{name}");
    }
}

/// Callers of a scheme that is no longer accepted are anonymous, and still in their network.
#[test]
fn networks_and_settings_need_no_scheme() {
    for atom in ["network = \"10.0.0.0/8\"", "setting = \"open\""] {
        let handler = |arguments: &str| {
            format!("#[auth_runtime::requires({arguments})]\nasync fn h() {{}}\n")
        };
        let folder = crate_with(
            "anonymous",
            &handler(atom),
            &handler(&format!("any({atom}, role = \"a\"), schemes(Basic)")),
        );
        assert_eq!(changes(&folder, &[]), ["loosened it::h"], "{atom}");
    }
}

/// An item has each of its conditions.
#[test]
fn each_of_several_conditions_is_compared() {
    let handler = "#[auth_runtime::requires(role = \"a\")]\npub async fn h() {}\n";
    let before = format!("#[cfg(a)]\n#[cfg(b)]\n{handler}");
    for (name, after) in [
        ("first", before.replace("cfg(a)", "cfg(c)")),
        ("second", before.replace("cfg(b)", "cfg(c)")),
        ("lost", before.replace("#[cfg(b)]\n", "")),
    ] {
        let folder = crate_with(&format!("several/{name}"), &before, &after);
        assert_eq!(changes(&folder, &[]), ["changed it::h"], "{name}");
    }
}

/// A place leads to the line as it is now, and only for a removed item to the former one.
#[test]
fn places_are_the_present_ones() {
    let handler =
        |role: &str| format!("#[auth_runtime::requires(role = \"{role}\")]\nasync fn h() {{}}\n");
    let removed = "#[auth_runtime::requires(role = \"a\")]\nasync fn gone() {}\n";
    let folder = crate_with(
        "places",
        &format!("{}\n{removed}", handler("a")),
        &format!("\n\n{}", handler("b")),
    );
    let rows = json(&folder, &["diff", "--format=json", "HEAD"]);
    let rows = rows.as_array().expect("rows").iter();
    let rows: Vec<_> = rows
        .map(|row| format!("{} {}", row["path"], row["line"]).replace('"', ""))
        .collect();
    assert_eq!(rows, ["it::h 3", "it::gone 4"]);
}

/// A plain route that loses the reason of its router, or that is another one for the same reason, is added.
#[test]
fn unguarded_routes_are_compared_wholly() {
    let around = "async fn open() {}\nfn m() { axum::routing::get(open); }\n";
    let excused = format!("{around}fn f() {{ g.merge_unguarded(\"why\", &[\"/\"], m()); }}\n");
    let folder = crate_with("excused", &excused, around);
    assert_eq!(
        changes(&folder, &[]),
        [
            "added unexcused open",
            "removed excused open",
            "removed merged /",
        ]
    );
    let route = "async fn open() {}\nfn f() {\n// unguarded: why\naxum::routing::get(open);\n}\n";
    let folder = crate_with("files", "mod a; mod b;", "mod a; mod b;");
    for (file, text) in [("src/a.rs", route), ("src/b.rs", "")] {
        std::fs::write(folder.join(file), text).expect("a file");
    }
    commit(&folder);
    std::fs::rename(folder.join("src/a.rs"), folder.join("src/b.rs")).expect("a file");
    std::fs::write(folder.join("src/a.rs"), "").expect("a file");
    assert_eq!(
        changes(&folder, &[]),
        ["added plain open", "removed plain open",]
    );
}

/// A router that is adopted for a reason, and an open pattern with one, are listed like other routes without a policy.
#[test]
fn adopted_and_open_patterns_are_compared() {
    let source = |more: &str| {
        format!(
            "use auth_runtime::{{GuardedRouter, public, requires, routing::get}};\n\
             #[public(reason = \"pages\")] async fn page() {{}}\n\
             #[requires(role = \"a\")] async fn secret() {{}}\n\
             fn f() {{\nGuardedRouter::new().route(\"/x/secret\", get(secret)){more};\n}}\n"
        )
    };
    for (name, more, path) in [
        ("adopted", ".adopt(old, \"moved later\")", "adopted"),
        (
            "open",
            "\n// unguarded: its files are others\n.route(\"/x/{*p}\", get(page))",
            "covering GET /x/{*p}",
        ),
    ] {
        let (without, with) = (source(""), source(more));
        for (before, after, change) in [(&without, &with, "added"), (&with, &without, "removed")] {
            let folder = crate_with(&format!("open/{name}/{change}"), before, after);
            assert_eq!(changes(&folder, &[]), [format!("{change} {path}")]);
        }
    }
}

/// Another router for the same reason opens other routes.
#[test]
fn unguarded_services_are_compared_by_text() {
    let source = |body: &str| format!("fn f() {{\n{body}\n}}\n");
    let both = |path: &str| [format!("added {path}"), format!("removed {path}")];
    let adopted = "adopted";
    let merged = "merged /s";
    let plain = "plain";
    let nested = |service: &str| {
        format!(
            "let files = {service};\naxum::Router::new()\n// unguarded: files\n\
             .nest_service(\"/files\", files);"
        )
    };
    let adopt = |router: &str| format!("g.adopt({router}, \"why\");");
    for (name, before, after, expected) in [
        (
            "adopted",
            adopt("legacy::files()"),
            adopt("legacy::admin()"),
            &both(adopted)[..],
        ),
        (
            "merged",
            "g.merge_unguarded(\"why\", &[\"/s\"], pages::router());".to_owned(),
            "g.merge_unguarded(\"why\", &[\"/s\"], admin::router());".to_owned(),
            &both(merged),
        ),
        (
            "paths",
            "g.merge_unguarded(\"why\", &[\"/s\"], pages());".to_owned(),
            "g.merge_unguarded(\"why\", &[\"/s\", ADMIN], pages());".to_owned(),
            &[
                "added merged &[\"/s\", ADMIN]".to_owned(),
                format!("removed {merged}"),
            ],
        ),
        (
            "service",
            nested("ServeDir::new(\"public\")"),
            nested("ServeDir::new(\"/etc\")"),
            &both(plain),
        ),
        (
            "variable",
            format!("let old = legacy::files()?;\n{}", adopt("old")),
            format!("let old = legacy::admin()?;\n{}", adopt("old")),
            &both(adopted),
        ),
        (
            "changed_variable",
            format!(
                "let old = legacy().layer(auth);\nlet old = old.layer(t);\n{}",
                adopt("old")
            ),
            format!(
                "let old = legacy();\nlet old = old.layer(t);\n{}",
                adopt("old")
            ),
            &both(adopted),
        ),
        (
            "layer",
            adopt("axum::Router::new().nest(\"/a\", x.await).layer(auth)"),
            adopt("axum::Router::new().nest(\"/a\", x.await)"),
            &both(adopted),
        ),
        (
            "argument",
            adopt("(legacy(Side::Public).await)"),
            adopt("(legacy(Side::Admin).await)"),
            &both(adopted),
        ),
        (
            "added_router",
            adopt("axum::Router::new().merge(legacy::router(1))"),
            adopt("axum::Router::new().merge(legacy::router(2))"),
            &both("excused legacy::router"),
        ),
        // The places of routes, the format of the source and the code of handlers are not compared.
        (
            "handler",
            adopt("axum::Router::new().route(\"/\", axum::routing::get(async || \"1\"))"),
            adopt("axum::Router::new()\n.route(\"/a\", axum::routing::get(\nasync || \"2\",\n))"),
            &[],
        ),
    ] {
        let folder = crate_with(&format!("made/{name}"), &source(&before), &source(&after));
        assert_eq!(changes(&folder, &[]), expected, "{name}");
    }
    let folder = crate_with(
        "made/shown",
        &source(&nested("ServeDir::new(\"public\").precompressed()")),
        &source(&adopt("legacy::admin().route(\"/\", get(h))")),
    );
    let text = run(&folder, &["diff", "HEAD"]).text;
    for line in [
        "    + unguarded(reason = \"why\"): legacy::admin()\n",
        "    - unguarded(reason = \"files\"): ServeDir::new(\"public\").precompressed()\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

/// The places in a member beside the workspace have a path from its root, in each revision.
#[test]
fn members_beside_the_root_are_compared() {
    let source = "async fn open() {}\nfn f() {\n// unguarded: why\naxum::routing::get(open);\n}\n\
                  #[auth_runtime::requires(role = \"a\")]\nasync fn h() {}\n";
    let member = MANIFEST.replace("[workspace]\n", "").replace(
        "edition = \"2024\"\n",
        "edition = \"2024\"\nworkspace = \"../main\"\n",
    );
    let files = [
        (
            "main/Cargo.toml",
            "[workspace]\nmembers = [\"../it\"]\nresolver = \"3\"\n",
        ),
        ("it/Cargo.toml", member.as_str()),
        ("it/src/lib.rs", source),
    ];
    let top = made("beside", &files);
    git(&top, &["init", "--quiet"]);
    commit(&top);
    let folder = top.join("main");
    assert_eq!(changes(&folder, &[]), Vec::<String>::new());
    let listed = json(&folder, &["list", "--format=json"]);
    assert_eq!(listed["policies"][0]["file"], "../it/src/lib.rs");
    assert_eq!(listed["unguarded"][0]["file"], "../it/src/lib.rs");
    replace(&top.join("it/src/lib.rs"), "why", "another reason");
    let route = "plain open";
    assert_eq!(
        changes(&folder, &[]),
        [format!("added {route}"), format!("removed {route}")]
    );
}

/// A file outside the workspace has the contents of the revision too.
#[test]
fn files_outside_of_workspace_are_compared() {
    let handler = "#[auth_runtime::requires(role = \"a\")]\npub async fn h() {}\n";
    let files = [
        ("service/Cargo.toml", MANIFEST),
        (
            "service/src/lib.rs",
            "#[path = \"../../shared/handlers.rs\"]\nmod shared;\n",
        ),
        ("shared/handlers.rs", handler),
    ];
    let top = made("outside_of_the_workspace", &files);
    git(&top, &["init", "--quiet"]);
    commit(&top);
    let file = top.join("shared/handlers.rs");
    replace(&file, "role = \"a\"", "authenticated");
    let folder = top.join("service");
    assert_eq!(changes(&folder, &[]), ["loosened it::shared::h"]);
}

/// The variables of git name the repository of a hook or of an alias, not the one around the workspace.
#[test]
fn variables_of_git_choose_no_repository() {
    let handler = "#[auth_runtime::requires(role = \"a\")]\npub async fn h() {}\n";
    let files = [
        ("service/Cargo.toml", MANIFEST),
        ("service/src/lib.rs", handler),
    ];
    let top = made("variables", &files);
    git(&top, &["init", "--quiet"]);
    commit(&top);
    let folder = top.join("service");
    replace(&folder.join("src/lib.rs"), "role = \"a\"", "authenticated");
    let elsewhere = made("variables_elsewhere", &[("empty", "")]);
    for (name, value) in [
        ("GIT_DIR", elsewhere.join(".git")),
        ("GIT_WORK_TREE", elsewhere.clone()),
        ("GIT_INDEX_FILE", elsewhere.join("index")),
        ("GIT_PREFIX", "elsewhere/".into()),
    ] {
        let mut command = Command::new(program());
        command.args(["auth", "diff", "HEAD"]).current_dir(&folder);
        let output = command.env(name, value).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.starts_with("loosened\n"), "{name}: {output:?}");
        assert!(text.contains("it::h"), "{name}: {text}");
    }
}

/// Cargo reads the manifests of dependencies, also of those that are not in the revision.
#[test]
fn dependencies_outside_of_revision_are_found() {
    let with = |more: &str| format!("{MANIFEST}{more}");
    let of_workspace =
        |line: &str| MANIFEST.replace("[workspace]\n", &format!("[workspace]\n{line}\n"));
    let handler = "#[auth_runtime::requires(role = \"a\")]\npub async fn h() {}\n";
    let of_other = "[workspace]\n[package]\nname = \"outer\"\nedition = \"2024\"\n";
    for (name, within, manifest) in [
        ("here", "repo", with("outer = { path = \"../lib\" }\n")),
        ("dotted", "repo", with("outer.path = '../lib'\n")),
        (
            "build",
            "repo",
            with("[build-dependencies.outer]\npath = \"./../lib\"\n"),
        ),
        (
            "target",
            "repo",
            with("[target.'cfg(unix)'.dev-dependencies]\nouter = { path = \"../lib\" }\n"),
        ),
        (
            "workspace",
            "repo",
            of_workspace("dependencies.outer = { path = \"../lib\" }") + "outer.workspace = true\n",
        ),
        (
            "deeper",
            "repo/services/it",
            with("outer = { path = \"../../../lib\" }\n"),
        ),
        (
            "several",
            "repo",
            with(
                "outer = { path = \"../lib\" }\nother = { path = \"../../several/lib\", package = \"outer\" }\n",
            ),
        ),
        (
            "untracked",
            "repo",
            of_workspace("exclude = [\"vendor\"]") + "outer = { path = \"vendor/lib\" }\n",
        ),
    ] {
        let [manifest_file, source] =
            ["Cargo.toml", "src/lib.rs"].map(|file| format!("{within}/{file}"));
        let files = [
            (manifest_file.as_str(), manifest.as_str()),
            (&source, handler),
            ("repo/.gitignore", "vendor\n"),
            ("repo/vendor/lib/Cargo.toml", of_other),
            ("repo/vendor/lib/src/lib.rs", ""),
            ("lib/Cargo.toml", of_other),
            ("lib/src/lib.rs", ""),
        ];
        let top = made(&format!("outside/{name}"), &files);
        git(&top.join("repo"), &["init", "--quiet"]);
        commit(&top.join("repo"));
        replace(&top.join(&source), "role = \"a\"", "authenticated");
        assert_eq!(
            changes(&top.join(within), &[]),
            ["loosened it::h"],
            "{name}"
        );
    }
}

/// A dependency in the revision is not that of the working tree, which may be another one.
#[test]
fn dependencies_within_revision_are_its_own() {
    let handler = "#[auth_runtime::requires(role = \"a\")]\npub async fn h() {}\n";
    let manifest = format!("{MANIFEST}inner = {{ path = \"parts/../inner\" }}\n");
    let inner =
        "[package]\nname = \"inner\"\nedition = \"2024\"\n[dependencies]\nauth-runtime = \"0.1\"\n";
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/lib.rs", handler),
        ("parts/empty", ""),
        ("inner/Cargo.toml", inner),
        ("inner/src/lib.rs", handler),
    ];
    let folder = made("inside", &files);
    git(&folder, &["init", "--quiet"]);
    commit(&folder);
    replace(
        &folder.join("Cargo.toml"),
        "inner = { path = \"parts/../inner\" }\n",
        "",
    );
    std::fs::remove_dir_all(folder.join("inner")).expect("a folder");
    assert_eq!(changes(&folder, &[]), ["removed inner::h"]);
}

/// Names of schemes are case-insensitive (RFC 9110 §11.1).
#[test]
fn letter_case_of_schemes_is_ignored() {
    let handler = |schemes: &str| {
        format!("#[auth_runtime::requires(role = \"a\", schemes({schemes}))]\nasync fn h() {{}}\n")
    };
    for (name, before, after, expected) in [
        ("letters", "\"X-Own\"", "\"x-own\"", &[][..]),
        (
            "added",
            "\"X-Own\"",
            "\"x-own\", Basic",
            &["loosened it::h"],
        ),
        (
            "removed",
            "Basic, \"X-Own\"",
            "\"x-own\"",
            &["tightened it::h"],
        ),
        ("replaced", "\"X-Own\"", "\"x-owns\"", &["changed it::h"]),
    ] {
        let folder = crate_with(
            &format!("schemes/{name}"),
            &handler(before),
            &handler(after),
        );
        assert_eq!(changes(&folder, &[]), expected, "{name}");
    }
}
