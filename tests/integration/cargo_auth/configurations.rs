//! Parts of a service that only some configurations have, in `cargo auth routes`.

use crate::cargo_auth::refused::made;
use crate::cargo_auth::routes::listed;
use crate::cargo_auth::{json, run};

/// Every output tells a check of some configurations from one that always applies.
#[test]
fn conditional_checks_have_a_mark() {
    let manifest = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n\
                    [dependencies]\naxum = \"0.8\"\n";
    let main = "use axum::{Router, routing::get};\n\
                fn main() {\n\
                let mut app = Router::new().route(\"/some\", get(page));\n\
                if cfg.auth { app = app.layer(from_fn(require_auth)); }\n\
                let all = Router::new().route(\"/all\", get(page)).layer(from_fn(require_auth));\n\
                axum::serve(app.merge(all));\n\
                }\n\
                async fn page() {}\n";
    let folder = made("marked", &[("Cargo.toml", manifest), ("src/main.rs", main)]);
    let text = run(&folder, &["routes"]).text;
    for title in [
        "middleware require_auth (1 route)\n",
        "middleware require_auth? (1 route)\n",
    ] {
        assert!(text.contains(title), "{text}");
    }
    let found = json(&folder, &["routes", "--format=json"]);
    let checks = found["routes"].as_array().expect("routes").iter();
    let checks: Vec<_> = checks
        .map(|route| route["checks"][0]["text"].as_str())
        .collect();
    assert_eq!(checks, [Some("require_auth?"), Some("require_auth")]);
    let log = run(&folder, &["routes", "--format=sarif"]).text;
    assert!(
        log.contains("GET /some: middleware require_auth?\""),
        "{log}"
    );
    assert!(log.contains("GET /all: middleware require_auth\""), "{log}");
}

/// The second handler responds to each caller that the first one refuses.
#[test]
fn combined_handlers_have_no_check() {
    for (number, (handler, checks)) in [
        ("guarded", "Caller"),
        ("guarded.layer(Logs::new())", "Caller"),
        ("guarded.or(bare)", ""),
        (
            "guarded.layer(from_fn(require_auth)).or(bare).with_state(state)",
            "",
        ),
        (
            "guarded.or(bare).layer(from_fn(require_auth))",
            "require_auth",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let main = format!(
            "use axum::{{Router, routing::get}};\n\
             fn main() {{ axum::serve(Router::new().route(\"/page\", get({handler}))); }}\n\
             async fn guarded(caller: Caller) {{}}\n\
             async fn bare() {{}}\n\
             struct Caller;\n\
             impl FromRequestParts<()> for Caller {{\n\
             async fn from_request_parts(parts: &mut Parts, state: &()) -> Result<Self, StatusCode> {{\n\
             Err(StatusCode::UNAUTHORIZED) }} }}"
        );
        let found = listed(&format!("or/{number}"), &main);
        let found: Vec<_> = found
            .iter()
            .map(|(path, _, checks)| (path.as_str(), checks.as_str()))
            .collect();
        assert_eq!(found, [("/page", checks)], "{handler}");
    }
}
