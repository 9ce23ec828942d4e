//! Attributes that have to compile, or to be rejected, by the compiler itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use auth_runtime::resource::ProtectedResource;
use serde_json::Value;

use crate::vector::{Compile, Kind, Vector, Vectors};

pub(crate) fn run(vector: &Vector, compile: &Compile, vectors: &Vectors) -> Result<(), String> {
    let messages = match resource_metadata(&compile.attribute) {
        Some(url) if !compile.attribute.contains("scope") => refusal_of_builder(&url),
        _ => {
            static MESSAGES: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
            let all = MESSAGES.get_or_init(|| compile_all(vectors));
            all.get(&crate_name(&vector.id))
                .cloned()
                .unwrap_or_default()
        }
    };
    let wanted = &compile.expect;
    let mentions = wanted.message_mentions.as_deref().unwrap_or_default();
    match (wanted.compiles, messages.is_empty()) {
        (true, true) => Ok(()),
        (false, false) if messages.iter().any(|message| message.contains(mentions)) => Ok(()),
        (false, false) => Err(format!("no message mentions {mentions:?}: {messages:#?}")),
        (true, false) => Err(format!("refused: {messages:#?}")),
        (false, true) => Err(format!("{} compiles", compile.attribute)),
    }
}

/// The spelling of the vectors is only a proposal. Here, schemes are members of the list
/// `schemes(…)`, an unregistered one is in quotes, and each attribute has a requirement.
fn spelled_here(attribute: &str) -> String {
    let inner = attribute
        .strip_prefix("#[requires(")
        .and_then(|rest| rest.strip_suffix(")]"))
        .unwrap_or(attribute);
    let value = inner.split_once(" = ").map_or("", |(_, value)| value);
    let word = value.trim_matches('"');
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let inner = match inner.split_once(" = ").map(|(key, _)| key) {
        Some("scheme") if is_word => format!("authenticated, schemes({word})"),
        Some("scheme" | "custom_scheme") => format!("authenticated, schemes({value})"),
        Some("realm") => format!("authenticated, {inner}"),
        // Metadata belong to the space, not to the handler.
        _ => match inner.split_once(", resource_metadata") {
            Some((before, _)) => before.to_owned(),
            None => inner.to_owned(),
        },
    };
    format!("#[requires({inner})]")
}

fn resource_metadata(attribute: &str) -> Option<String> {
    let (_, rest) = attribute.split_once("resource_metadata = \"")?;
    rest.split('"').next().map(str::to_owned)
}

/// The builder of the resource rejects invalid metadata URLs at start.
fn refusal_of_builder(url: &str) -> Vec<String> {
    let identifier = url.replace("/.well-known/oauth-protected-resource", "");
    let resource =
        ProtectedResource::builder(identifier).authorization_server("https://as.example");
    let refused = resource.build().err();
    refused.into_iter().map(|error| error.to_string()).collect()
}

/// Converts the identifier of a vector to a crate name.
fn crate_name(id: &str) -> String {
    id.replace(|character: char| !character.is_ascii_alphanumeric(), "_")
}

/// Returns the errors of each vector's attribute, from one compiler run over a crate with a file
/// for each.
fn compile_all(vectors: &Vectors) -> BTreeMap<String, Vec<String>> {
    let compiled = vectors
        .vectors
        .iter()
        .filter_map(|vector| match &vector.kind {
            Kind::Compile(compile) => Some((&vector.id, &compile.attribute)),
            _ => None,
        });
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().expect("the workspace");
    let project = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("attributes");
    let sources = project.join("src/bin");
    let _ = std::fs::remove_dir_all(&sources);
    std::fs::create_dir_all(&sources).expect("a folder");
    let runtime = root.join("auth-runtime");
    let manifest = format!(
        "[package]\nname = \"attributes\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nauth-runtime.path = {runtime:?}\n[workspace]\n"
    );
    std::fs::write(project.join("Cargo.toml"), manifest).expect("a file");
    // The lock file of the workspace.
    let _ = std::fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock"));
    for (id, attribute) in compiled {
        let source = format!(
            "use auth_runtime::requires;\n{}\nasync fn handler() {{}}\nfn main() {{}}\n",
            spelled_here(attribute)
        );
        std::fs::write(sources.join(format!("{}.rs", crate_name(id))), source).expect("a file");
    }
    // That of the workspace, and of the tests of the vocabulary, so that dependencies are checked once.
    let build_folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let build_folder = build_folder.expect("the folder of the workspace's builds");
    let output = Command::new(env!("CARGO"))
        .args([
            "check",
            "--bins",
            "--keep-going",
            "--message-format=json",
            "--offline",
        ])
        .current_dir(&project)
        .env("CARGO_TARGET_DIR", build_folder)
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs");
    let mut messages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut built = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        built += usize::from(message["reason"] == "compiler-artifact");
        if message["message"]["level"] == "error" {
            let id = message["target"]["name"].as_str().unwrap_or_default();
            let text = message["message"]["message"].as_str().unwrap_or_default();
            messages
                .entry(id.to_owned())
                .or_default()
                .push(text.to_owned());
        }
    }
    assert!(
        built > 0,
        "nothing was compiled: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    messages
}
