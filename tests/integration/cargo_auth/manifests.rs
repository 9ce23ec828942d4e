//! The packages and crates that are read, by their manifests.

use crate::cargo_auth::refused::made;
use crate::cargo_auth::{json, names};

const PACKAGE: &str = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n";

/// Returns the paths of the listed policies, and the lines and codes of the findings.
fn read(name: &str, manifest: &str, file: &str, source: &str) -> (Vec<String>, Vec<String>) {
    let manifest = format!("{PACKAGE}{manifest}");
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/lib.rs", ""),
        (file, source),
    ];
    let folder = made(&format!("manifests/{name}"), &files);
    let listed = json(&folder, &["list", "--format=json"]);
    let found = json(&folder, &["check", "--format=json"]);
    let listed = listed["policies"].as_array().expect("policies").iter();
    let found = found.as_array().expect("findings").iter();
    (
        listed
            .map(|it| it["path"].as_str().expect("a path").to_owned())
            .collect(),
        found
            .map(|it| format!("{} {}", it["line"], it["code"]).replace('"', ""))
            .collect(),
    )
}

const HANDLER: &str = "use auth_runtime::requires;\n#[requires(authenticated)] async fn h() {}\n";

/// A package can use the attributes by a dependency of every kind.
#[test]
fn dependencies_of_every_kind_count() {
    let renamed = HANDLER.replace("auth_runtime", "auth");
    for (name, manifest, file, source, expected) in [
        (
            "normal",
            "[dependencies]\nauth-runtime = \"0.1\"\n",
            "src/lib.rs",
            HANDLER,
            "it::h",
        ),
        (
            "optional",
            "[dependencies]\nauth-runtime = { version = \"0.1\", optional = true }\n",
            "src/lib.rs",
            HANDLER,
            "it::h",
        ),
        (
            "of_a_platform",
            "[target.'cfg(windows)'.dependencies]\nauth-runtime = \"0.1\"\n",
            "src/lib.rs",
            HANDLER,
            "it::h",
        ),
        (
            "of_examples",
            "[dev-dependencies]\nauth-runtime = \"0.1\"\n",
            "examples/show.rs",
            HANDLER,
            "show::h",
        ),
        (
            "forked",
            "[dependencies]\nauth-runtime = { package = \"auth-runtime-patched\", version = \"0.1\" }\n",
            "src/lib.rs",
            HANDLER,
            "it::h",
        ),
        (
            "renamed",
            "[dependencies]\nauth = { package = \"auth-runtime\", version = \"0.1\" }\n",
            "src/lib.rs",
            &renamed,
            "it::h",
        ),
    ] {
        let (listed, found) = read(name, manifest, file, source);
        assert_eq!(listed, [expected], "{name}");
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
}

/// A library of every type can have handlers, such as one for an embedding program.
#[test]
fn libraries_of_every_type_are_read() {
    for kind in ["lib", "rlib", "dylib", "cdylib", "staticlib"] {
        let manifest =
            format!("[lib]\ncrate-type = [\"{kind}\"]\n[dependencies]\nauth-runtime = \"0.1\"\n");
        let (listed, _) = read(kind, &manifest, "src/lib.rs", HANDLER);
        assert_eq!(listed, ["it::h"], "{kind}");
    }
}

/// The guide names these spellings: the argument `crate` is the path of the runtime.
#[test]
fn policies_of_renamed_runtimes_are_read() {
    let renamed = "[dependencies]\nauth = { package = \"auth-runtime\", version = \"0.1\" }\n";
    let own = "[dependencies]\nauth-runtime = \"0.1\"\n";
    let through = "[dependencies]\nframework = \"0.1\"\n";
    let source = |krate: &str, around: &str| {
        format!(
            "{around}use {krate}::requires;\n\
             #[requires(crate = {krate}, authenticated)] async fn a() {{}}\n\
             #[{krate}::requires(authenticated, crate = {krate})] async fn b() {{}}\n\
             #[{krate}::public(reason = \"a page\", crate = {krate})] async fn c() {{}}\n\
             #[requires(crate = {krate}, role = \"a\")] mod m {{\n\
             pub async fn d() {{}}\n\
             #[{krate}::requires(scope = \"b\")] pub async fn e() {{}}\n\
             mod n {{ pub async fn f() {{}} }}\n\
             }}\n"
        )
    };
    let policies = [
        "it::a",
        "it::b",
        "it::c",
        "it::m::d",
        "it::m::e",
        "it::m::n::f",
    ];
    for (name, manifest, source) in [
        ("in_the_manifest", renamed, source("auth", "")),
        (
            "in_the_crate",
            own,
            source("auth", "extern crate auth_runtime as auth; "),
        ),
        ("through_a_crate", through, source("framework", "")),
        ("through_a_module", through, source("framework::auth", "")),
    ] {
        let (listed, found) = read(name, manifest, "src/lib.rs", &source);
        assert_eq!(listed, policies, "{name}");
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
    // `grep` misses a policy under another name.
    let hyphened = renamed.replace("auth = {", "own-auth = {");
    for (name, manifest, krate) in [
        ("needs", renamed, "auth"),
        ("needs_of_a_hyphen", &hyphened, "own_auth"),
    ] {
        let source = format!(
            "use {krate}::requires as needs;\n\
             #[needs(crate = {krate}, authenticated)] async fn f() {{}}\n"
        );
        let (_, found) = read(name, manifest, "src/lib.rs", &source);
        assert_eq!(found, ["1 AUTH0104"], "{name}");
    }
    // Of another crate.
    let source = "use contracts::requires;\n\
                  #[requires(a == b)] fn f() {}\n\
                  #[contracts::requires(crate == b)] fn g() {}\n";
    let (listed, found) = read("contracts", through, "src/lib.rs", source);
    assert_eq!((listed.len(), found.len()), (0, 0));
}

/// A dependency may have another name than its package, and the library of the package a third one. A fork with the
/// name of the original is read like it.
#[test]
fn renamed_dependencies_are_followed() {
    let renamed = "pages = { package = \"other-pages\", path = \"other\" }\n\
                   openapi = { package = \"utoipa-axum\", version = \"0.2\" }\n";
    let manifest = names::MANIFEST.replace("other.path = \"other\"\n", renamed);
    let forked = manifest
        .replace(
            "axum = \"0.8\"",
            "axum = { package = \"axum-patched\", version = \"0.8\" }",
        )
        .replace(
            "openapi = ",
            "utoipa_axum = { package = \"utoipa-axum-patched\", version = \"0.2\" }\nopenapi = ",
        );
    for (name, library, manifest) in [
        ("renamed", "", &manifest),
        ("renamed_library", "[lib]\nname = \"third\"\n", &manifest),
        ("forked", "", &forked),
    ] {
        let files = [
            ("Cargo.toml", manifest.as_str()),
            (
                "other/Cargo.toml",
                &format!(
                    "{}{library}",
                    names::OTHER.replace("\"other\"", "\"other-pages\"")
                ),
            ),
            (
                "other/src/lib.rs",
                "pub use axum::{Router, routing::get};\npub fn router() -> Router { Router::new() }",
            ),
            (
                "src/lib.rs",
                "use pages::{Router, get};\nasync fn bare() {}\n\
                 fn f() { Router::new().route(\"/\", get(bare)).merge(pages::router()); } // found\n\
                 fn g() { openapi::routes!(bare); } // found\n\
                 fn h() { axum::Router::new().merge(pages::router()).merge(openapi::router()); } // found\n\
                 fn i() { utoipa_axum::routes!(bare); } // found\n",
            ),
        ];
        let folder = made(&format!("dependencies/{name}"), &files);
        let found = json(&folder, &["check", "--format=json"]);
        let found = found.as_array().expect("findings").iter();
        let lines: Vec<_> = found.map(|it| it["line"].as_u64()).collect();
        assert_eq!(lines, [Some(3), Some(4), Some(5), Some(6)], "{name}");
    }
}

/// Dependencies are recognized by their names in the manifest.
#[test]
fn every_axum_version_is_read() {
    let renamed = "axum-07 = { package = \"axum\", version = \"0.7\" }\n";
    let manifest = format!("{}{renamed}", names::MANIFEST.replace("other.path", "#"));
    let files = [
        ("Cargo.toml", manifest.replace("[\"other\"]", "[]")),
        (
            "src/lib.rs",
            "async fn bare() {}\nfn f() { axum::routing::get(bare); axum_07::routing::get(bare); }"
                .to_owned(),
        ),
    ];
    let files = files.each_ref().map(|(file, text)| (*file, text.as_str()));
    let found = json(
        &made("manifests/versions", &files),
        &["check", "--format=json"],
    );
    assert_eq!(found.as_array().map(Vec::len), Some(2), "{found:#?}");
}
