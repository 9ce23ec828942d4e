//! The compile time of the attributes: `cargo bench -p auth-bench --bench attribute_cost`.
//!
//! A crate with 200 handlers is checked without attributes, with `#[requires]`, with `#[requires]`
//! and a vocabulary, and with two widely used attributes. The variants are checked repeatedly in
//! turn, so that other load on the machine affects all of them alike. The fastest run counts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const HANDLERS: usize = 200;
const ROUNDS: usize = 9;

struct Variant {
    name: &'static str,
    /// Returns the attribute of the handler with this number.
    attribute: fn(usize) -> String,
    vocabulary: bool,
}

const VARIANTS: [Variant; 5] = [
    Variant {
        name: "plain",
        attribute: |_| String::new(),
        vocabulary: false,
    },
    Variant {
        name: "requires",
        attribute: requires,
        vocabulary: false,
    },
    Variant {
        name: "requires, with a vocabulary",
        attribute: requires,
        vocabulary: true,
    },
    Variant {
        name: "tracing::instrument",
        attribute: |_| "#[tracing::instrument(skip_all)]".to_owned(),
        vocabulary: false,
    },
    Variant {
        name: "axum::debug_handler",
        attribute: |_| "#[axum::debug_handler]".to_owned(),
        vocabulary: false,
    },
];

/// Typical policies.
fn requires(number: usize) -> String {
    let policy = match number % 4 {
        0 => format!("scope = \"area{}:read\"", number % 20),
        1 => format!("scope = \"area{}:write\", hide_as = 404", number % 20),
        2 => format!(
            "any(role = \"admin\", scope = \"area{}:write\")",
            number % 20
        ),
        _ => "role = \"admin\", network = \"10.0.0.0/8\"".to_owned(),
    };
    format!("#[auth_runtime::requires({policy})]")
}

fn vocabulary() -> String {
    let mut text = "[roles]\nadmin = \"Operates the service\"\n[scopes]\n".to_owned();
    for area in 0..20 {
        text += &format!(
            "\"area{area}:read\" = \"Read\"\n\
             \"area{area}:write\" = {{ description = \"Write\", implies = [\"area{area}:read\"] }}\n"
        );
    }
    text
}

fn handlers(variant: &Variant) -> String {
    let handler = |number| {
        format!(
            "{}\npub async fn handler{number}(Path(id): Path<u32>, Query(query): Query<Vec<(String, String)>>) \
             -> Result<String, StatusCode> {{\n    \
             if query.is_empty() {{ return Err(StatusCode::BAD_REQUEST); }}\n    \
             Ok(format!(\"{{id}} {{}}\", query.len()))\n}}\n",
            (variant.attribute)(number)
        )
    };
    let imports = "use axum::extract::{Path, Query};\nuse axum::http::StatusCode;\n\n";
    let handlers: String = (0..HANDLERS).map(handler).collect();
    format!("{imports}{handlers}")
}

fn project(lab: &Path, index: usize, variant: &Variant) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the workspace");
    let project = lab.join(format!("variant{index}"));
    let _ = std::fs::remove_dir_all(&project);
    std::fs::create_dir_all(project.join("src")).expect("a folder");
    let manifest = format!(
        "[package]\nname = \"variant{index}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nauth-runtime.path = {:?}\n\
         axum = {{ version = \"0.8\", default-features = false, features = [\"macros\", \"query\"] }}\n\
         tracing = {{ version = \"0.1\", features = [\"attributes\"] }}\n[workspace]\n",
        workspace.join("auth-runtime"),
    );
    let write =
        |name: &str, text: String| std::fs::write(project.join(name), text).expect("a file");
    write("Cargo.toml", manifest);
    write("src/lib.rs", handlers(variant));
    if variant.vocabulary {
        write("auth.toml", vocabulary());
    }
    let _ = std::fs::copy(workspace.join("Cargo.lock"), project.join("Cargo.lock"));
    project
}

fn cargo(project: &Path, arguments: &[&str]) -> std::process::Output {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(arguments)
        .args(["--quiet", "--offline"])
        .current_dir(project);
    // Only the dependencies are reused from the last run.
    cargo.env("CARGO_INCREMENTAL", "0").env_remove("RUSTFLAGS");
    cargo.env("CARGO_TARGET_DIR", project.with_file_name("target"));
    let output = cargo.output().expect("cargo runs");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {problem}", project.display());
    output
}

fn check(project: &Path) -> Duration {
    let source = project.join("src/lib.rs");
    let text = std::fs::read(&source).expect("the source");
    std::fs::write(&source, text).expect("the source, changed");
    let start = Instant::now();
    cargo(project, &["check"]);
    start.elapsed()
}

/// Returns the size of the crate in bytes after the expansion of every macro, which only an
/// unstable option prints.
fn expanded(project: &Path) -> usize {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["rustc", "--lib", "--profile=check", "--quiet", "--offline"]);
    cargo
        .args(["--", "-Zunpretty=expanded"])
        .current_dir(project);
    cargo.env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTFLAGS");
    cargo.env(
        "CARGO_TARGET_DIR",
        project.with_file_name("target-expanded"),
    );
    cargo.output().expect("cargo runs").stdout.len()
}

fn main() {
    let lab = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("attributes-cost");
    let projects: Vec<PathBuf> = VARIANTS
        .iter()
        .enumerate()
        .map(|(index, variant)| project(&lab, index, variant))
        .collect();
    for project in &projects {
        check(project);
    }
    let mut fastest = [Duration::MAX; VARIANTS.len()];
    for _ in 0..ROUNDS {
        for (project, fastest) in projects.iter().zip(&mut fastest) {
            *fastest = check(project).min(*fastest);
        }
    }
    let sizes: Vec<usize> = projects.iter().map(|project| expanded(project)).collect();
    println!("{HANDLERS} handlers, fastest of {ROUNDS} runs of `cargo check`:\n");
    println!("| attribute | seconds | beyond plain | bytes expanded | a handler |");
    println!("|---|---|---|---|---|");
    for ((variant, time), size) in VARIANTS.iter().zip(fastest).zip(&sizes) {
        let beyond = time.as_secs_f64() - fastest[0].as_secs_f64();
        println!(
            "| {} | {:.3} | {beyond:+.3} | {size} | {} |",
            variant.name,
            time.as_secs_f64(),
            size.saturating_sub(sizes[0]) / HANDLERS,
        );
    }
}
