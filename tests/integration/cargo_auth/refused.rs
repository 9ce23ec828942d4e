//! An incomplete list is rejected.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cargo_auth::run;

pub(crate) const MANIFEST: &str = "[workspace]\n[package]\nname = \"it\"\nedition = \
                                   \"2024\"\n[dependencies]\nauth-runtime = \"0.1\"\n";

/// Creates a workspace with these files, in a folder that no other test uses.
pub(crate) fn made(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let thread = std::thread::current();
    let test = thread.name().expect("the thread has the name of its test");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("cargo_auth")
        .join(test.replace("::", "-"))
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
fn unreadable_source_is_an_error() {
    for (name, files, reason) in [
        (
            "missing_module",
            &[("src/lib.rs", "\n  mod handlers;\n")][..],
            "error: src/lib.rs:2:7: the file of the module `handlers` is missing\n",
        ),
        (
            "no_rust",
            &[("src/lib.rs", "mod a;"), ("src/a.rs", "async fn f() {\n")],
            "error: src/a.rs:1:14: this is not valid Rust: ",
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
fn schema_mistakes_have_a_place() {
    let files = |schema| {
        [
            ("Cargo.toml", MANIFEST),
            (
                "auth.toml",
                "cedar.schema = \"policies/a.cedarschema\"\n[actions]\nread = { description = \"Read\", on = \"B\" }\n",
            ),
            ("policies/a.cedarschema", schema),
            (
                "src/lib.rs",
                "#[auth_runtime::requires(can = \"read\", on = \"A::{a}\")]\nasync fn f() {}\n",
            ),
        ]
    };
    for (name, schema, expected) in [
        (
            "schema_syntax",
            "entity A;\nentity ;",
            "policies/a.cedarschema:2:8: expected a name, found `;` [AUTH0048]\n",
        ),
        (
            "schema_contradicted",
            "entity A, B; action read appliesTo { principal: A, resource: A };",
            "auth.toml:3:1: the action `read` applies to `B` here, and to `A` in `policies/a.cedarschema` [AUTH0049]\n",
        ),
        (
            "schema_agreed",
            "entity A, B; action read appliesTo { principal: A, resource: B };",
            "src/lib.rs:1:32: the action `read` applies to `B`, not to objects of the type `A` [AUTH0047]\n",
        ),
    ] {
        let run = run(&made(name, &files(schema)), &["check"]);
        assert_eq!(run.status, 1, "{name}: {run:?}");
        assert!(run.text.starts_with(expected), "{name}: {}", run.text);
    }
}

#[test]
fn vocabulary_mistakes_have_a_place() {
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
            "auth.toml:2:8: the description of the scope `read` is empty [AUTH0031]\n\
             help: describe its purpose\n1 finding, beside 1 policy\n"
        )
    );
}

#[test]
fn missing_vocabulary_is_found() {
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
    let said =
        "auth.toml:1:1: no `auth.toml` was found, which Cargo.toml requires [AUTH0031]\nhelp: ";
    assert!(run.text.starts_with(said), "{}", run.text);
    assert!(
        run.text.ends_with("\n1 finding, beside 1 policy\n"),
        "{}",
        run.text
    );
}

/// Only a package that depends on the runtime can use its attributes.
#[test]
fn foreign_attributes_are_ignored() {
    let manifest = MANIFEST.replace("auth-runtime = \"0.1\"", "contracts = \"1\"");
    for import in ["requires", "*"] {
        let source = format!(
            "use contracts::{import};\n#[requires(x > 0)]\nfn f(x: u32) {{}}\n\
             macro_rules! m {{ () => {{\n\
             #[cfg_attr(a, requires(x > 0))] fn g(x: u32) {{}}\n\
             #[ requires (x > crate::MIN) ] fn h(x: u32) {{}}\n}} }}\n"
        );
        let files = [
            ("Cargo.toml", manifest.as_str()),
            ("src/lib.rs", source.as_str()),
        ];
        let run = run(&made("contracts", &files), &["check"]);
        assert_eq!(run.text, "nothing found, beside 0 policies\n", "{import}");
    }
    // These name the runtime.
    let source = "macro_rules! m { ($r:ident) => {\n\
                  #[ auth_runtime::requires(role = \"a\")] fn a() {}\n\
                  #[ $r::requires(role = \"a\")] fn b() {}\n\
                  #[ requires(crate = framework, role = \"a\")] fn c() {}\n} }\n";
    let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", source)];
    let run = run(&made("contracts", &files), &["check"]);
    assert_eq!(run.text.matches("[AUTH0104]").count(), 3, "{}", run.text);
}

/// Code that the compiler accepts, but that `grep` misses.
#[test]
fn attribute_that_grep_misses_is_found() {
    let reason = "(reason = \"it is a test\")";
    for (name, attribute, number) in [
        ("as_it_should_be", "#[auth_runtime::public%]", 0),
        ("and_from_the_root", "#[::auth_runtime::public%]", 0),
        ("raw", "#[auth_runtime::r#public%]", 1),
        ("spaces", "#[ auth_runtime::public%]", 1),
        ("spaces_in_it", "#[auth_runtime :: public%]", 1),
        ("spaces_behind_it", "#[auth_runtime::public %]", 1),
        ("spaces_before_it", "# [auth_runtime::public%]", 1),
        ("a_comment", "#[/* ! */auth_runtime::public%]", 1),
        (
            "braces",
            "#[auth_runtime::public{reason = \"it is a test\"}]",
            1,
        ),
        ("through_a_module", "#[open%]", 1),
    ] {
        let attribute = attribute.replace('%', reason);
        let around = "mod m { pub use auth_runtime::public; }\n";
        let import = match name {
            "through_a_module" => "use m::public as open;\n",
            _ => "",
        };
        let module = "#[auth_runtime::requires(role = \"a\")]\nmod handed_down {\n\
                      #[auth_runtime::requires(role = \"b\")]\nasync fn h() {}\n}\n";
        let source = format!("{around}{import}{attribute}\nasync fn f() {{}}\n{module}");
        let folder = made(
            &format!("missed/{name}"),
            &[("Cargo.toml", MANIFEST), ("src/lib.rs", &source)],
        );
        let checked = run(&folder, &["check"]);
        let found = checked.text.matches("[AUTH0104]").count();
        assert_eq!(found, number, "{name}: {}", checked.text);
        assert_eq!(
            checked.text.lines().count(),
            2 * number + 1,
            "{}",
            checked.text
        );
    }
}

/// Bidirectional and invisible characters could make a reason look like another one.
#[test]
fn control_characters_are_escaped() {
    let source = "fn f() {\n// unguarded: \u{202e}yhw\u{1b}[2J\u{ad}\u{3164}\u{e0041}\n\
                  axum::routing::get(async || 1);\n\
                  g.merge_unguarded(\"\\u{1b}]0;\u{2066}\", &[], r);\n\
                  g.adopt(r, concat!(\"\u{1b}[2J\", \"\nsrc/a.rs:1:1: forged \u{202e}\"));\n\
                  g.merge_unguarded(\"why\", paths(\"\u{1b}[2J\nsrc/a.rs:1:1: forged \u{202e}\"), r);\n}\n\
                  #[cfg(feature = \"\u{1b}[2J\nsrc/a.rs:1:1: forged \u{202e}\")]\n\
                  #[auth_runtime::requires(role = \"a\", hide_as = \"\u{202e}\u{1b}[2J\")]\n\
                  async fn h() {}\n\
                  fn app() -> axum::Router { axum::Router::new().route(\"/\u{202e}\u{1b}\", axum::routing::get(h)) }\n\
                  fn main() { serve(app()); }\n";
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source)];
    let folder = made("terminal", &files);
    for (arguments, expected) in [(["list"], 3), (["check"], 1), (["routes"], 0)] {
        let text = run(&folder, &arguments).text;
        let is_unseen = |it: char| !it.is_ascii_graphic() && ![' ', '\n', '…'].contains(&it);
        assert!(!text.contains(is_unseen), "{text:?}");
        assert!(text.contains("\\u{1b}"), "{text:?}");
        let is_forged = |line: &str| line.starts_with("src/a.rs");
        assert!(!text.lines().any(is_forged), "{text}");
        let found = text.matches("src/a.rs:1:1: forged").count();
        assert_eq!(found, expected, "{arguments:?}: {text}");
    }
}

/// A name, a length, and the source of a length.
type Shape<'s> = (&'s str, usize, &'s dyn Fn(usize) -> String);

/// Time and memory grow in proportion to the sources.
#[test]
fn long_and_deep_sources_are_read() {
    let deep = format!("{}1{}", "(".repeat(1000), ")".repeat(1000));
    let routes = |number: usize| {
        let names = 0..number;
        let route = |number| format!("\n.route(\"/{number}\", get(h{number}))");
        let handler = |number| {
            format!("#[auth_runtime::requires(authenticated)]\nasync fn h{number}() {{}}\n")
        };
        let routes: String = names.clone().map(route).collect();
        let handlers: String = names.map(handler).collect();
        format!(
            "use axum::{{Router, routing::get}};\n\
             fn f() {{ let it = Router::new(){routes}; {deep}; }}\n{handlers}"
        )
    };
    let shapes: [Shape<'_>; 6] = [
        ("routes", 1000, &routes),
        ("layers", 1000, &|number| {
            let layers = "\n.layer(a)".repeat(number);
            format!(
                "#[auth_runtime::requires(authenticated)] async fn h() {{}}\n\
                 fn f() {{ axum::routing::get(h{layers}); }}"
            )
        }),
        ("path_in_a_macro", 300, &|number| {
            format!("m! {{ {}public }}", "a::".repeat(number))
        }),
        ("imports_in_a_macro", 8000, &|number| {
            format!("m! {{ {} }}", "use ".repeat(number))
        }),
        ("methods_in_a_macro", 8000, &|number| {
            format!("m! {{ {} }}", "a::$m() ".repeat(number))
        }),
        ("branches", 200, &|number| {
            let policy = "#[auth_runtime::requires(authenticated)] async fn h() {}";
            let branch = format!("if #[cfg(a)] {{ {policy} }} else ");
            format!("cfg_if! {{ {} {{}} }}", branch.repeat(number))
        }),
    ];
    for (name, number, source) in shapes {
        // Twelve times the length would take up to 144 times as long if each part was compared with all. The load of
        // other programs passes.
        let is_linear = (0..5).any(|_| {
            let short = time_of(name, &source(number));
            let long = time_of(name, &source(12 * number));
            println!("{name}: {short:?}, {long:?}");
            long < 36 * short
        });
        assert!(is_linear, "{name}");
    }
}

/// Checks a source without a mistake.
fn time_of(name: &str, source: &str) -> Duration {
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source)];
    let folder = made(&format!("long/{name}"), &files);
    let start = Instant::now();
    let checked = run(&folder, &["check"]);
    let policies = match name {
        "branches" => 0,
        _ => source.matches("#[auth_runtime::requires").count(),
    };
    let noun = if policies == 1 { "policy" } else { "policies" };
    let expected = format!("nothing found, beside {policies} {noun}\n");
    assert_eq!(checked.text, expected, "{name}: {}", checked.errors);
    start.elapsed()
}

/// Deeper ones would overflow the stack, and those of the compiler.
#[test]
fn sources_are_refused_beyond_a_depth() {
    let nested = |open: &str, within: &str, close: &str| {
        format!("{}{within}{}", open.repeat(20_000), close.repeat(20_000))
    };
    for (name, source) in [
        ("modules", nested("mod a {", "", "}")),
        ("blocks", format!("fn f() {{{}}}", nested("{", "", "}"))),
        ("operators", format!("type A = {};", nested("&", "u8", ""))),
        (
            "script",
            format!("#!/bin/it's\n{}", nested("mod a {", "", "}")),
        ),
    ] {
        let said = refused(&format!("deeper/{name}"), &[("src/lib.rs", &source)]);
        let reason = "error: src/lib.rs is nested more than 1024 levels deep\n";
        assert_eq!(said, reason, "{name}");
    }
}

/// A truncated list in a file must be detectable.
#[cfg(target_os = "linux")]
#[test]
fn failed_output_is_a_failure() {
    let folder = made(
        "full",
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", "fn f() {}")],
    );
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a device");
    let output = std::process::Command::new(crate::cargo_auth::program())
        .args(["auth", "list"])
        .current_dir(folder)
        .stdout(full)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.starts_with("error: nothing can be printed: "),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(2));
}
