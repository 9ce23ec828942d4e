//! The attributes in an editor, tested with rust-analyzer:
//! `cargo test -p auth-tests --test editor`, with `rust-analyzer` in the path or in
//! `RUST_ANALYZER`.

mod session;

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use auth_grammar::args;
use serde_json::Value;

use crate::session::Session;

/// The cursor in a text.
const CURSOR: &str = "$0";

const FILE: &str = "src/lib.rs";

fn project() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("editor");
    let runtime = here.join("../auth-runtime");
    let manifest = format!(
        "[package]\nname = \"project\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nauth-runtime.path = {runtime:?}\n[workspace]\n"
    );
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
    std::fs::write(folder.join(FILE), "").expect("a file");
    // The lock file of the workspace.
    std::fs::copy(here.join("../Cargo.lock"), folder.join("Cargo.lock")).expect("a lock file");
    folder
}

/// Returns a handler with this attribute and this statement.
fn handler(attribute: &str, statement: &str) -> String {
    format!(
        "use auth_runtime::{{Guard, public, requires}};\n\n\
         pub struct Page {{ pub title: u32, pub chapters: u32 }}\n\n\
         {attribute}\n\
         pub async fn handler(guard: Guard) {{\n    \
             let page = Page {{ title: 1, chapters: 2 }};\n    \
             {statement}\n\
         }}\n"
    )
}

/// Returns the text without its cursor, and the position of the cursor.
fn cursor(text: &str) -> (String, (usize, usize)) {
    let (before, after) = text.split_once(CURSOR).expect("a cursor");
    let line = before.matches('\n').count();
    let character = before.lines().last().unwrap_or_default().len();
    (format!("{before}{after}"), (line, character))
}

/// The session that all tests share in turn, because starting one takes longer than all tests.
fn session() -> MutexGuard<'static, Session> {
    static SESSION: LazyLock<Mutex<Session>> = LazyLock::new(|| {
        let program = std::env::var_os("RUST_ANALYZER").unwrap_or("rust-analyzer".into());
        Mutex::new(Session::start(Path::new(&program), &project()))
    });
    SESSION.lock().unwrap_or_else(PoisonError::into_inner)
}

fn completions(text: &str) -> Vec<String> {
    let (text, place) = cursor(text);
    let mut session = session();
    session.edit(FILE, &text);
    let result = session.at("textDocument/completion", FILE, place);
    let items = result.get("items").unwrap_or(&result).as_array().cloned();
    let label = |item: &Value| Some(item["label"].as_str()?.trim().to_owned());
    items.unwrap_or_default().iter().filter_map(label).collect()
}

fn hover(text: &str) -> String {
    let (text, place) = cursor(text);
    let mut session = session();
    session.edit(FILE, &text);
    let result = session.at("textDocument/hover", FILE, place);
    result["contents"]["value"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn diagnostics(text: &str) -> Vec<String> {
    let mut session = session();
    session.edit(FILE, text);
    let message = |found: &Value| Some(found["message"].as_str()?.to_owned());
    let found = session.diagnostics(FILE);
    found.iter().filter_map(message).collect()
}

/// Incomplete attributes, as they occur while typing.
const HALF_TYPED: [&str; 6] = [
    "#[requires()]",
    "#[requires(sco)]",
    "#[requires(scope = )]",
    "#[requires(scope = \"a\", hide_as = )]",
    "#[requires(any(scope = \"a\", ro))]",
    "#[requires(scope = \"a\" role)]",
];

#[test]
fn below_half_typed_attribute_body_completes() {
    for attribute in HALF_TYPED {
        let page = completions(&handler(attribute, "page.$0"));
        assert_eq!(page, ["title", "chapters"], "{attribute}");
        let guard = completions(&handler(attribute, "guard.$0"));
        assert_eq!(guard, ["identity", "permit"], "{attribute}");
    }
}

#[test]
fn half_typed_attributes_keep_body_checks() {
    for attribute in HALF_TYPED {
        let found = diagnostics(&handler(
            attribute,
            "let wrong: Guard<policy_of_handler> = page;",
        ));
        let body = "expected Guard<policy_of_handler>, found Page";
        assert!(
            found.iter().any(|text| text == body),
            "{attribute}: {found:?}"
        );
        let ours = |text: &String| text.contains("[AUTH0");
        assert_eq!(
            found.iter().filter(|text| ours(text)).count(),
            1,
            "{attribute}: {found:?}"
        );
        assert_eq!(found.len(), 2, "{attribute}: {found:?}");
    }
}

#[test]
fn complete_attribute_has_no_diagnostics() {
    for attribute in [
        "#[requires(scope = \"a\", hide_as = 404)]",
        "#[requires(any(role = \"a\", all(scope = \"b\", scope = \"c\")))]",
        "#[public(reason = \"everybody may read it\")]",
    ] {
        let text = handler(attribute, "_ = page;").replace("guard: Guard", "");
        assert_eq!(diagnostics(&text), Vec::<String>::new(), "{attribute}");
    }
}

#[test]
fn keys_complete_where_they_can_stand() {
    let at = |attribute| {
        let mut keys = completions(&handler(attribute, ""));
        keys.sort();
        keys
    };
    let mut requirements = args::REQUIREMENTS.to_vec();
    requirements.sort_unstable();
    let mut all = [&args::REQUIREMENTS[..], &args::TOP_LEVEL].concat();
    all.sort_unstable();
    assert_eq!(at("#[requires(s$0)]"), all);
    assert_eq!(at("#[requires(scope = \"a\", hi$0)]"), all);
    assert_eq!(at("#[requires(any(sc$0))]"), requirements);
    assert_eq!(
        at("#[requires(any(scope = \"a\", r$0), hide_as = 404)]"),
        requirements
    );
}

#[test]
fn hovering_an_attribute_shows_its_grammar() {
    for (attribute, parts) in [
        (
            "#[re$0quires(scope = \"a\")]",
            ["Says who may call a handler.", "any( requirement, … )"],
        ),
        (
            "#[pub$0lic(reason = \"everybody may read it\")]",
            [
                "Says that everybody may call a handler",
                "#[public( reason = \"…\" )]",
            ],
        ),
    ] {
        let shown = hover(&handler(attribute, ""));
        for part in parts {
            assert!(shown.contains(part), "{attribute}: {shown}");
        }
    }
}
