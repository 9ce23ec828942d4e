//! Independent validators read the OpenAPI documents.
//!
//! Not part of `cargo test --workspace`, since it needs more than Rust:
//! `cargo test -p auth-tests --test openapi_validators` installs its dependencies (see
//! `clients/setup.sh`).

#[path = "../integration/openapi/service.rs"]
mod service;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use auth_tests::programs::set_up;
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
        static FOLDER: OnceLock<PathBuf> = OnceLock::new();
        let folder =
            FOLDER.get_or_init(|| set_up(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients")));
        let file = format!("openapi-{name}-{self:?}.json");
        // On several lines, since Redocly shows a part of a line.
        std::fs::write(folder.join(&file), format!("{document:#}")).expect("a file");
        let mut command = self.command();
        command.current_dir(folder).arg(file);
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (!output.status.success()).then_some(said)
    }
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
