//! `auth.toml`, tested with the compiler: each folder of `vocabulary/` is a crate, with the
//! compiler's output in `expected`. `VOCABULARY=overwrite` writes these files anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the folder for the projects.
fn lab() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("vocabulary")
}

/// Returns the folder of their builds: that of the workspace and of the conformance vectors, so that dependencies
/// are checked once.
fn build_folder() -> &'static Path {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temporary
        .parent()
        .expect("the folder of the workspace's builds")
}

fn write(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

/// Returns a manifest that depends on the runtime.
fn manifest(name: &str, more: &str) -> String {
    let runtime = here().join("../auth-runtime");
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nauth-runtime.path = {runtime:?}\n{more}"
    )
}

/// The result of a compiler run.
struct Checked {
    /// The errors, as printed on a terminal.
    errors: String,
    /// The requested crates, and whether each was compiled.
    compiled: Vec<(String, bool)>,
}

fn check(project: &Path) -> Checked {
    let root = here().parent().expect("the workspace");
    // The lock file of the workspace.
    let _ = std::fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock"));
    let output = Command::new(env!("CARGO"))
        .args([
            "check",
            "--workspace",
            "--message-format=json",
            "--offline",
            "--quiet",
        ])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", build_folder())
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs");
    let mut checked = Checked {
        errors: String::new(),
        compiled: Vec::new(),
    };
    let mut understood = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        understood += usize::from(message["reason"].is_string());
        let is_own = message["manifest_path"]
            .as_str()
            .is_some_and(|path| path.starts_with(&*project.to_string_lossy()));
        if message["reason"] == "compiler-artifact" && is_own {
            let name = message["target"]["name"].as_str().expect("a name");
            checked
                .compiled
                .push((name.to_owned(), message["fresh"] == false));
        }
        let message = &message["message"];
        let is_summary = message["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("aborting due to"));
        if message["level"] == "error" && !is_summary {
            let rendered = message["rendered"].as_str().expect("a text");
            let _ = writeln!(checked.errors, "{}", rendered.trim_end());
        }
    }
    assert!(
        understood > 0,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    checked
}

const JSON_SCHEMA: &str = "policies/forge.cedarschema.json";

#[test]
fn names_are_checked_against_the_vocabulary() {
    let mut differences = Vec::new();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(here().join("vocabulary"))
        .expect("cases")
        .map(|case| case.expect("a case").path())
        .collect();
    cases.sort();
    for case in cases {
        let name = case
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let project = lab().join(&name);
        let _ = std::fs::remove_dir_all(&project);
        write(project.join("Cargo.toml"), manifest(&name, "[workspace]\n"));
        for (from, to) in [
            ("auth.toml", "auth.toml"),
            ("schema.cedarschema", "schema.cedarschema"),
            (JSON_SCHEMA, JSON_SCHEMA),
            ("lib.rs", "src/lib.rs"),
        ] {
            if let Ok(text) = std::fs::read(case.join(from)) {
                write(project.join(to), text);
            }
        }
        let seen = check(&project).errors;
        let expected = case.join("expected");
        if std::env::var_os("VOCABULARY").is_some_and(|wish| wish == "overwrite") {
            write(&expected, &seen);
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        if seen != expected {
            differences.push(format!("== {name}\nexpected:\n{expected}\nseen:\n{seen}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Every attribute and macro, from a dependency with another name.
const RENAMED: &str = r#"
use auth::{Guard, GuardedRouter, public, requires};
use auth::routing::get;

#[requires(crate = auth, role = "admin", hide_as = 404)]
pub mod admin {
    use auth::{public, requires};

    pub async fn users() {}

    #[requires(scope = "read", network = "10.0.0.0/8")]
    pub async fn list(guard: auth::Guard) -> String {
        guard.identity().subject().to_owned()
    }

    #[public(reason = "the form is no secret")]
    pub async fn login() {}

    #[requires(scope = "read")]
    pub struct Files;

    #[requires(max_age = "5m")]
    pub mod keys {
        pub async fn create() {}
    }
}

#[requires(crate = ::auth, scope = "read", hide_as = 404, hide_unless = role("admin"))]
pub async fn read(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[public(reason = "liveness probe", crate = auth)]
pub async fn healthz() {}

pub const VOCABULARY: auth::policy::Vocabulary = auth::vocabulary!(crate = auth);

pub fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/users", get(admin::users).post(admin::list))
        .route("/login", get(admin::login))
        .route("/keys", get(admin::keys::create))
        .route("/read", get(read))
        .route("/healthz", get(healthz))
}
"#;

/// A manifest may rename the dependency. The second project shows that the crate is then not called
/// `auth_runtime`.
#[test]
fn a_dependency_may_have_another_name() {
    for (name, source, is_right) in [
        ("renamed", RENAMED.to_owned(), true),
        (
            "renamed_unseen",
            RENAMED.replace("crate = auth, ", ""),
            false,
        ),
    ] {
        let project = lab().join(name);
        let _ = std::fs::remove_dir_all(&project);
        let manifest = manifest(name, "[workspace]\n");
        let renamed = manifest.replace(
            "auth-runtime.path",
            "auth.package = \"auth-runtime\"\nauth.path",
        );
        write(project.join("Cargo.toml"), renamed);
        write(
            project.join("auth.toml"),
            "[scopes]\nread = \"Read\"\n[roles]\nadmin = \"Administer\"\n",
        );
        write(project.join("src/lib.rs"), source);
        let errors = check(&project).errors;
        assert_eq!(errors.is_empty(), is_right, "{errors}");
        assert!(is_right || errors.contains("auth_runtime"), "{errors}");
    }
}

const READ: &str = "[scopes]\nread = \"Read\"\n";
const READER: &str = "#[auth_runtime::requires(scope = \"read\")]\npub async fn read() {}\n";
/// The attribute of the module is the only one of the crate.
const READER_MODULE: &str =
    "#[auth_runtime::requires(scope = \"read\")]\npub mod reader { pub async fn read() {} }\n";

/// The file may be in any folder up to the root of the workspace, and not above. The nearest one
/// counts.
#[test]
fn vocabulary_is_found_up_to_workspace() {
    let outside = lab().join("outside");
    let project = outside.join("workspace");
    let _ = std::fs::remove_dir_all(&outside);
    write(
        outside.join("auth.toml"),
        "[scopes]\nelsewhere = \"Not meant\"\n",
    );
    write(
        project.join("Cargo.toml"),
        "workspace = { resolver = \"3\", members = [\"crates/*\"] }\n",
    );
    for name in ["far", "near"] {
        let member = project.join("crates").join(name);
        write(member.join("Cargo.toml"), manifest(name, ""));
        write(member.join("src/lib.rs"), READER);
    }
    // Without a vocabulary, every name is accepted, and files above the workspace do not count.
    assert_eq!(check(&project).errors, "");
    write(project.join("auth.toml"), "[scopes]\nwrite = \"Write\"\n");
    write(project.join("crates/near/auth.toml"), READ);
    for name in ["far", "near"] {
        // A new file is noticed with the next change of another file.
        write(
            project.join("crates").join(name).join("src/lib.rs"),
            format!("{READER}\n"),
        );
    }
    let errors = check(&project).errors;
    assert!(errors.contains("is not declared in auth.toml"), "{errors}");
    assert!(
        errors.contains("crates/far/src/lib.rs") && !errors.contains("crates/near"),
        "{errors}"
    );
}

/// All users of a file are recompiled after a change, and no other crate.
#[test]
fn vocabulary_changes_compile_users_again() {
    let project = lab().join("tracked");
    let _ = std::fs::remove_dir_all(&project);
    write(
        project.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n",
    );
    for (name, text) in [
        ("tracked-user", READER),
        ("tracked-module", READER_MODULE),
        (
            "tracked-lister",
            "pub const ALL: auth_runtime::policy::Vocabulary = auth_runtime::vocabulary!();\n",
        ),
        ("tracked-other", "pub fn nothing() {}\n"),
    ] {
        let member = project.join("crates").join(name);
        write(member.join("Cargo.toml"), manifest(name, ""));
        write(member.join("src/lib.rs"), text);
    }
    let vocabulary = project.join("auth.toml");
    write(&vocabulary, READ);
    let compiled = |checked: Checked| {
        let compiled = checked
            .compiled
            .into_iter()
            .filter(|(_, compiled)| *compiled);
        let mut names: Vec<_> = compiled.map(|(name, _)| name).collect();
        names.sort();
        names
    };
    let first = check(&project);
    assert_eq!(first.errors, "");
    assert_eq!(compiled(first).len(), 4);
    assert_eq!(compiled(check(&project)), Vec::<String>::new());

    // Cargo compares the times of modification.
    let later = |seconds| std::time::SystemTime::now() + std::time::Duration::from_secs(seconds);
    let change = |text: &str, seconds| {
        write(&vocabulary, text);
        let file = std::fs::File::options()
            .write(true)
            .open(&vocabulary)
            .expect("the file");
        file.set_modified(later(seconds)).expect("a time");
    };
    change("[scopes]\nread = \"Read everything\"\n", 10);
    let described = check(&project);
    assert_eq!(described.errors, "");
    assert_eq!(
        compiled(described),
        ["tracked_lister", "tracked_module", "tracked_user"]
    );
    change("[scopes]\nreed = \"Read\"\n", 20);
    let errors = check(&project).errors;
    assert!(
        errors.contains("the scope `read` is not declared in auth.toml [AUTH0030]"),
        "{errors}"
    );
    change(READ, 30);
    assert_eq!(check(&project).errors, "");
}

/// A Cedar schema that the file names counts as a part of it.
#[test]
fn cedar_schema_changes_compile_users_again() {
    let project = lab().join("tracked_schema");
    let _ = std::fs::remove_dir_all(&project);
    write(
        project.join("Cargo.toml"),
        manifest("tracked-schema", "[workspace]\n"),
    );
    write(
        project.join("auth.toml"),
        "[cedar]\nschema = \"../tracked_schema/./schema.cedarschema\"\n",
    );
    write(
        project.join("src/lib.rs"),
        "#[auth_runtime::requires(can = \"read\", on = \"Page::{page}\")]\npub async fn read() {}\n",
    );
    let schema = project.join("schema.cedarschema");
    let later = |seconds| std::time::SystemTime::now() + std::time::Duration::from_secs(seconds);
    for (seconds, action, error) in [
        (0, "read", None),
        (
            10,
            "write",
            Some("the action `read` is not declared in auth.toml or"),
        ),
        (20, "read", None),
    ] {
        write(
            &schema,
            format!(
                "entity Page; action {action} appliesTo {{ principal: Page, resource: Page }};"
            ),
        );
        let file = std::fs::File::options().write(true).open(&schema);
        let modified = file.expect("the file").set_modified(later(seconds));
        modified.expect("a time");
        let errors = check(&project).errors;
        match error {
            Some(error) => assert!(errors.contains(error), "{errors}"),
            None => assert_eq!(errors, "", "{seconds}"),
        }
    }
}
