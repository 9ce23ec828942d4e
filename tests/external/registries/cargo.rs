//! cargo publishes to a registry that requires a token for everything, and downloads from it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use auth_runtime::decision::{DenialBody, DenialDetails, RequestSnapshot};
use auth_runtime::objects::{ObjectRequest, ObjectRules};
use auth_runtime::routing::{delete, get, put};
use auth_runtime::schemes::Bearer;
use auth_runtime::{
    Caller, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, requires,
};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path as PathValues, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use crate::{run, serve};
use auth_tests::programs::install;

#[derive(Default)]
struct Crate {
    owners: Vec<String>,
    /// The lines of the index, by their versions.
    index: BTreeMap<String, Value>,
    files: BTreeMap<String, Bytes>,
}

#[derive(Clone, Default)]
struct Store(Arc<Mutex<BTreeMap<String, Crate>>>);

impl Store {
    fn with<T>(&self, name: &str, read: impl FnOnce(&mut Crate) -> T) -> Option<T> {
        self.0.lock().expect("no panic").get_mut(name).map(read)
    }
}

#[requires(authenticated)]
async fn config(headers: HeaderMap) -> Json<Value> {
    let base = format!("http://{}", headers["host"].to_str().expect("text"));
    Json(json!({ "dl": format!("{base}/dl"), "api": base, "auth-required": true }))
}

#[requires(authenticated)]
async fn index(State(store): State<Store>, PathValues(path): PathValues<String>) -> Response {
    let name = path.rsplit('/').next().unwrap_or_default();
    let lines = store.with(name, |found| {
        let lines = found.index.values().map(|line| format!("{line}\n"));
        lines.collect::<String>()
    });
    lines.map_or(
        StatusCode::NOT_FOUND.into_response(),
        IntoResponse::into_response,
    )
}

#[requires(authenticated)]
async fn download(
    State(store): State<Store>,
    PathValues((name, version)): PathValues<(String, String)>,
) -> Response {
    let file = store.with(&name, |found| found.files.get(&version).cloned());
    let file = file.flatten();
    file.map_or(
        StatusCode::NOT_FOUND.into_response(),
        IntoResponse::into_response,
    )
}

/// A part of a body, behind its length.
fn part<'b>(body: &mut &'b [u8]) -> &'b [u8] {
    let (length, rest) = body.split_first_chunk::<4>().expect("a length");
    let length = usize::try_from(u32::from_le_bytes(*length)).expect("a length");
    let (part, rest) = rest.split_at(length);
    *body = rest;
    part
}

#[requires(scope = "publish")]
async fn publish(guard: Guard, State(store): State<Store>, body: Bytes) -> Json<Value> {
    let mut rest = &body[..];
    let metadata: Value = serde_json::from_slice(part(&mut rest)).expect("JSON");
    let file = part(&mut rest);
    let digits = Sha256::digest(file)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let text = |name: &str| metadata[name].as_str().expect("text").to_owned();
    let line = json!({
        "name": text("name"), "vers": text("vers"), "deps": [], "features": {}, "cksum": digits,
        "yanked": false,
    });
    let mut crates = store.0.lock().expect("no panic");
    let found = crates.entry(text("name")).or_default();
    found.owners.push(guard.identity().subject().to_owned());
    found.index.insert(text("vers"), line);
    found
        .files
        .insert(text("vers"), Bytes::copy_from_slice(file));
    Json(json!({ "warnings": { "invalid_categories": [], "invalid_badges": [], "other": [] } }))
}

type Version = PathValues<(String, String)>;

#[requires(
    can = "change",
    on = "Crate::{name}",
    says = "Only owners change a crate."
)]
async fn yank(State(store): State<Store>, PathValues((name, version)): Version) -> Json<Value> {
    store.with(&name, |found| {
        found.index.get_mut(&version).expect("a version")["yanked"] = json!(true);
    });
    Json(json!({ "ok": true }))
}

#[requires(
    can = "change",
    on = "Crate::{name}",
    says = "Only owners change a crate."
)]
async fn add_owners(
    State(store): State<Store>,
    PathValues(name): PathValues<String>,
    Json(body): Json<Value>,
) -> Json<Value> {
    let users = body["users"].as_array().expect("a list").iter();
    let users = users.map(|user| user.as_str().expect("text").to_owned());
    store.with(&name, |found| found.owners.extend(users));
    Json(json!({ "ok": true, "msg": "they are owners now" }))
}

async fn owns(request: ObjectRequest<'_, Store>) -> bool {
    let subject = request.identity().subject();
    let store = request.state();
    let is_owner = store.with(request.id(), |found| {
        found.owners.iter().any(|own| own == subject)
    });
    is_owner.unwrap_or_default()
}

async fn look_up(token: String) -> Caller {
    let name = match token.as_str() {
        "cio-token-of-ann" => "ann",
        "cio-token-of-bob" => "bob",
        _ => return Caller::rejected(),
    };
    Caller::known(Identity::new(name).with_scopes(["publish"]))
}

/// The errors that cargo shows.
fn render(denial: &DenialDetails<'_>, _: &RequestSnapshot) -> DenialBody {
    let body = json!({ "errors": [{ "detail": denial.message() }] });
    DenialBody::new(
        HeaderValue::from_static("application/json"),
        body.to_string(),
    )
}

fn app() -> ProtectedRouter {
    let store = Store::default();
    let tokens = Bearer::new(look_up)
        .accept_bare()
        .cargo_login_url("https://registry.example/me");
    let space = ProtectionSpace::builder()
        .realm("crates")
        .scheme(tokens)
        .decision_point(ObjectRules::new(store.clone()).on("Crate", owns))
        .render(render);
    let routes = GuardedRouter::new()
        .route("/index/config.json", get(config))
        .route("/index/{*path}", get(index))
        .route("/dl/{name}/{version}/download", get(download))
        .route("/api/v1/crates/new", put(publish))
        .route("/api/v1/crates/{name}/{version}/yank", delete(yank))
        .route("/api/v1/crates/{name}/owners", put(add_owners))
        .with_state(store);
    routes
        .protect(space.build().expect("a space"))
        .expect("a router")
}

/// A home of cargo, with the configuration of the registry `own`.
struct Home(tempfile::TempDir);

impl Home {
    fn new(base: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "[registries.own]\nindex = \"sparse+{base}/index/\"\ncredential-provider = [\"cargo:token\"]\n"
        );
        fs::write(folder.path().join("config.toml"), config).expect("a file");
        Self(folder)
    }

    fn package(&self, name: &str, dependency: &str) -> PathBuf {
        let folder = self.0.path().join(name);
        fs::create_dir_all(folder.join("src")).expect("a folder");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n\
             description = \"a test\"\n\n[dependencies]\n{dependency}\n\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
        fs::write(folder.join("src/lib.rs"), "").expect("a file");
        folder
    }

    fn cargo(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(folder)
            .args(arguments)
            .env("CARGO_HOME", self.0.path());
        cargo.env("CARGO_TARGET_DIR", self.0.path().join("target"));
        cargo.env_remove("CARGO_REGISTRIES_OWN_TOKEN");
        cargo
    }

    /// Stores a token, and returns the output.
    fn log_in(&self, token: &str) {
        let mut login = self.cargo(self.0.path(), &["login", "--registry", "own"]);
        login
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut login = login.spawn().expect("cargo runs");
        let mut input = login.stdin.take().expect("it is piped");
        writeln!(input, "{token}").expect("it reads");
        drop(input);
        let output = login.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn crates_are_published_downloaded_and_yanked() {
    let runtime = Runtime::new().expect("a runtime");
    let base = serve(&runtime, app());
    let ann = Home::new(&base);
    let garden = ann.package("garden-of-ann", "");
    let publish = [
        "publish",
        "--registry",
        "own",
        "--no-verify",
        "--allow-dirty",
    ];

    let (is_published, text) = run(&mut ann.cargo(&garden, &publish));
    assert!(
        !is_published && text.contains("cargo login --registry own"),
        "{text}"
    );
    ann.log_in("cio-token-of-ann");
    let (is_published, text) = run(&mut ann.cargo(&garden, &publish));
    assert!(
        is_published && text.contains("Published garden-of-ann"),
        "{text}"
    );

    let bob = Home::new(&base);
    let dependency = "garden-of-ann = { version = \"1\", registry = \"own\" }";
    let user = bob.package("user-of-garden", dependency);
    let (is_fetched, text) = run(&mut bob.cargo(&user, &["fetch"]));
    assert!(
        !is_fetched && text.contains("cargo login --registry own"),
        "{text}"
    );
    bob.log_in("cio-token-of-eve");
    let (is_fetched, text) = run(&mut bob.cargo(&user, &["fetch"]));
    assert!(!is_fetched && text.contains("401"), "{text}");
    bob.log_in("cio-token-of-bob");
    let (is_fetched, text) = run(&mut bob.cargo(&user, &["fetch"]));
    assert!(
        is_fetched && text.contains("Downloaded garden-of-ann"),
        "{text}"
    );

    let yank = [
        "yank",
        "--registry",
        "own",
        "--version",
        "1.0.0",
        "garden-of-ann",
    ];
    let (is_yanked, text) = run(&mut bob.cargo(&user, &yank));
    assert!(
        !is_yanked && text.contains("Only owners change a crate."),
        "{text}"
    );
    let owner = [
        "owner",
        "--registry",
        "own",
        "--add",
        "bob",
        "garden-of-ann",
    ];
    let (is_added, text) = run(&mut bob.cargo(&user, &owner));
    assert!(
        !is_added && text.contains("Only owners change a crate."),
        "{text}"
    );
    let (is_added, text) = run(&mut ann.cargo(&garden, &owner));
    assert!(is_added && text.contains("they are owners now"), "{text}");
    let (is_yanked, text) = run(&mut bob.cargo(&user, &yank));
    assert!(is_yanked, "{text}");
}

#[test]
fn scripts_use_tokens_with_scheme_name() {
    install("curl", "curl");
    let runtime = Runtime::new().expect("a runtime");
    let base = serve(&runtime, app());
    let curl = |authorization: &str| {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--include",
            "--header",
            &format!("Authorization: {authorization}"),
        ]);
        run(curl.arg(format!("{base}/index/config.json"))).1
    };
    for valid in ["Bearer cio-token-of-ann", "cio-token-of-ann"] {
        assert!(curl(valid).starts_with("HTTP/1.1 200 "), "{valid}");
    }
    let denied = curl("");
    let lines = denied
        .lines()
        .filter(|line| line.starts_with("www-authenticate"));
    let expected = [
        "www-authenticate: Bearer realm=\"crates\"",
        "www-authenticate: Cargo login_url=\"https://registry.example/me\"",
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}
