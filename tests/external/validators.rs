//! Independent validators read the OpenAPI documents and the output for code scanning.
//!
//! Not part of `cargo test --workspace`, since it needs more than Rust:
//! `cargo test -p auth-tests --test validators` installs its dependencies (see
//! `clients/setup.sh`).

#[path = "../integration/openapi/service.rs"]
mod service;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use auth_tests::programs::{build, set_up};
use serde_json::{Value, json};
use utoipa::openapi::{Info, OpenApi, OpenApiVersion, Paths};

/// openapi-spec-validator (Python) and Redocly (JavaScript). Both support OpenAPI 3.1 and 3.2.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Validator {
    SpecValidator,
    Redocly,
}

const VALIDATORS: [Validator; 2] = [Validator::SpecValidator, Validator::Redocly];

impl Validator {
    fn command(self) -> Command {
        let mut command;
        match self {
            Self::SpecValidator => {
                command = Command::new("venv/bin/python");
                command.args(["-m", "openapi_spec_validator"]);
            }
            Self::Redocly => {
                command = Command::new("node_modules/.bin/redocly");
                command.env("REDOCLY_TELEMETRY", "off");
                command.env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
                command.args(["lint", "--config", "redocly.yaml"]);
            }
        }
        command
    }

    /// Returns the error of `document`, if any.
    fn complaint(self, name: &str, document: &Value) -> Option<String> {
        let file = format!("openapi-{name}-{self:?}.json");
        complaint(self.command().arg(write(&file, document)))
    }
}

/// Returns the folder of the validators.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| set_up(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients")))
}

/// Writes a document on several lines, since Redocly shows a part of a line.
fn write<'f>(file: &'f str, document: &Value) -> &'f str {
    std::fs::write(folder().join(file), format!("{document:#}")).expect("a file");
    file
}

/// Returns the output of a validator that fails.
fn complaint(validator: &mut Command) -> Option<String> {
    let output = validator.current_dir(folder()).output();
    let output = output.unwrap_or_else(|error| panic!("{validator:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (!output.status.success()).then_some(said)
}

fn public(written: OpenApi) -> Value {
    let table = service::routes().access_table();
    let document = auth_runtime_audit::public_openapi(&table, &service::space(), written);
    document.expect("they are in order")
}

fn internal(written: OpenApi) -> Value {
    let table = service::routes().access_table();
    let document = auth_runtime_audit::internal_openapi(&table, &service::space(), written);
    document.expect("they are in order")
}

#[test]
fn every_document_is_valid() {
    let mut newer = service::written();
    newer.openapi = OpenApiVersion::Version32;
    let bare = OpenApi::new(Info::new("Shop", "1"), Paths::new());
    for (name, document) in [
        ("public", public(service::written())),
        ("internal", internal(service::written())),
        ("newer", internal(newer)),
        ("bare", internal(bare)),
    ] {
        for validator in VALIDATORS {
            let complaint = validator.complaint(name, &document);
            assert_eq!(complaint, None, "{name}, {validator:?}");
        }
    }
}

/// A change that makes a document invalid.
type Breakage = fn(&mut Value);

#[test]
fn a_broken_document_is_refused() {
    let table: [(&str, &str, Breakage, &[Validator]); 5] = [
        (
            "body",
            "AuthDenial",
            |document| forget(&mut document["components"]["schemas"], "AuthDenial"),
            &VALIDATORS,
        ),
        (
            "scheme",
            "Bearer",
            |document| forget(&mut document["components"]["securitySchemes"], "Bearer"),
            // The other validator does not check the names of schemes.
            &[Validator::Redocly],
        ),
        (
            "key",
            "name",
            |document| {
                let schemes = &mut document["components"]["securitySchemes"];
                forget(&mut schemes["ApiKey"], "name");
            },
            &VALIDATORS,
        ),
        (
            "parameters",
            "/carts/{id}",
            |document| forget(&mut document["paths"]["/carts/{id}"]["get"], "parameters"),
            &VALIDATORS,
        ),
        (
            "security",
            "security",
            |document| document["paths"]["/me"]["get"]["security"] = json!({ "Bearer": [] }),
            &VALIDATORS,
        ),
    ];
    let whole = public(service::written());
    for (name, word, breakage, validators) in table {
        let mut broken = whole.clone();
        breakage(&mut broken);
        assert_ne!(broken, whole, "{name}");
        for validator in validators {
            let complaint = validator.complaint(&format!("without-{name}"), &broken);
            let complaint = complaint.unwrap_or_default();
            assert!(
                complaint.contains(word),
                "{name}, {validator:?}: {complaint}"
            );
        }
    }
}

fn forget(members: &mut Value, name: &str) {
    let members = members.as_object_mut().expect("an object");
    assert!(members.remove(name).is_some(), "{name} was there");
}

/// The schema of the standard has a surplus bracket, which most regular expression parsers reject.
const SLIP: &str = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";
const MEANT: &str = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$";

#[test]
fn sarif_follows_its_schema() {
    let workspaces = Path::new(env!("CARGO_MANIFEST_DIR")).join("cargo_auth");
    let schema = std::fs::read_to_string(workspaces.join("sarif-schema-2.1.0.json"));
    let schema = schema.expect("the schema");
    assert!(schema.contains(SLIP));
    let schema = schema.replace(SLIP, MEANT);
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    // A workspace with a file that is not read.
    let incomplete = folder().join("incomplete");
    std::fs::create_dir_all(incomplete.join("src")).expect("a folder");
    let manifest = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n";
    std::fs::write(incomplete.join("Cargo.toml"), manifest).expect("a file");
    std::fs::write(incomplete.join("src/lib.rs"), "mod missing;\n").expect("a file");
    let incomplete = incomplete.to_str().expect("a path");
    let program = build(&[]).remove("cargo-auth").expect("the program");
    let log = |workspace: &str, command: &str| -> Value {
        let output = Command::new(&program)
            .args(["auth", command, "--format=sarif"])
            .current_dir(workspaces.join(workspace))
            .output();
        serde_json::from_slice(&output.expect("it runs").stdout).expect("JSON")
    };
    let schema = write("sarif-schema.json", &schema);
    let complaint_about = |log: &Value| {
        let mut validator = Command::new("venv/bin/python");
        validator.args(["json_schema.py", schema]);
        complaint(validator.arg(write("sarif.json", log)))
    };
    for (workspace, command) in [
        ("shop", "list"),
        ("shop", "check"),
        ("careless", "list"),
        ("careless", "check"),
        ("plain", "routes"),
        (incomplete, "routes"),
    ] {
        let complaint = complaint_about(&log(workspace, command));
        assert_eq!(complaint, None, "{workspace} {command}");
    }
    let mut broken = log("careless", "check");
    broken["runs"][0]["results"][0]["message"] = Value::Null;
    let complaint = complaint_about(&broken).expect("a complaint");
    assert!(complaint.contains("message"), "{complaint}");
}
