//! Parts of a service that only some configurations have, in `cargo auth routes`.

use crate::cargo_auth::refused::made;
use crate::cargo_auth::routes::listed;
use crate::cargo_auth::{json, run};

/// A statement for tests is left out, and any other condition marks what it adds.
#[test]
fn statements_of_configurations_are_conditional() {
    let always = ("from_fn(require_auth)", "require_auth");
    let sometimes = ("from_fn(require_auth)?", "require_auth?");
    let never = ("", "");
    let layered = "app.layer(from_fn(require_auth))";
    for (number, (body, (layers, checks))) in [
        ("let app = @; app", always),
        ("#[cfg(not(test))] let app = @; app", always),
        ("#[cfg(not(all(test, unix)))] let app = @; app", always),
        ("#[cfg(test)] let app = @; app", never),
        ("#[cfg(all(test, unix))] { app = @; } app", never),
        ("#[cfg(test)] app = @; app", never),
        ("#[cfg(test)] if is_on { app = @; } app", never),
        ("#[cfg(test)] { return @; } app", never),
        ("match mode { #[cfg(test)] Mode::On => @, _ => app }", never),
        ("match mode { #[cfg(test)] Mode::Off => app, _ => @ }", always),
        ("#[cfg(feature = \"auth\")] let app = @; app", sometimes),
        ("#[cfg(any(test, unix))] let app = @; app", sometimes),
        ("#[cfg(feature = \"auth\")] { app = @; } app", sometimes),
        ("#[cfg(feature = \"auth\")] { let inner = @; app = inner; } app", sometimes),
        ("#[cfg(feature = \"auth\")] app = @; app", sometimes),
        ("#[cfg(feature = \"auth\")] return @; app", sometimes),
        ("#[cfg(feature = \"auth\")] { return @; } app", sometimes),
        ("#[cfg(feature = \"auth\")] { @ } #[cfg(not(feature = \"auth\"))] { app }", sometimes),
        ("#[cfg(not(feature = \"auth\"))] { app } #[cfg(feature = \"auth\")] { @ }", sometimes),
        ("#[cfg(feature = \"auth\")] let app = @; #[cfg(not(feature = \"auth\"))] let app = app; app", sometimes),
        ("#[cfg(feature = \"auth\")] let all = @; #[cfg(not(feature = \"auth\"))] let all = app; all", sometimes),
        ("if cfg!(feature = \"auth\") { app = @; } app", sometimes),
        ("if is_on { app = @; } app", sometimes),
        ("let auth = Some(from_fn(require_auth)); app.layer(option_layer(auth))", sometimes),
        ("#[cfg(feature = \"auth\")] let app = @; #[cfg(test)] let app = Router::new(); app", sometimes),
    ]
    .into_iter()
    .enumerate()
    {
        let main = format!(
            "use axum::{{Router, routing::get}};\n\
             fn app() -> Router {{ let mut app = Router::new().route(\"/page\", get(page)); {} }}\n\
             fn main() {{ axum::serve(app()); }}\n\
             async fn page() {{}}",
            body.replace('@', layered)
        );
        let found = listed(&format!("configured/{number}"), &main);
        let expected = ["/page", layers, checks].map(str::to_owned);
        assert_eq!(found, [expected.into()], "{body}");
    }
}

/// In a handler and in a variable for a layer, conditions have the same effect.
#[test]
fn checks_of_configurations_are_conditional() {
    for (number, (layer, statement, layers, checks)) in [
        (
            "let it = Logs::new();",
            "data.require_admin()?;",
            "Logs",
            "require_admin()",
        ),
        (
            "let it = Logs::new();",
            "#[cfg(test)] data.require_admin()?;",
            "Logs",
            "",
        ),
        (
            "let it = Logs::new();",
            "#[cfg(feature = \"auth\")] data.require_admin()?;",
            "Logs",
            "require_admin()?",
        ),
        (
            "let it = Logs::new();",
            "#[cfg(feature = \"auth\")] { data.require_admin()?; }",
            "Logs",
            "require_admin()?",
        ),
        (
            "let it = Logs::new();",
            "#[cfg(feature = \"auth\")] data.require_admin()?; data.require_admin()?;",
            "Logs",
            "require_admin()",
        ),
        (
            "let it = Logs::new(); #[cfg(test)] let it = from_fn(require_auth);",
            "",
            "Logs",
            "",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let main = format!(
            "use axum::{{Router, routing::get}};\n\
             fn main() {{ {layer} axum::serve(Router::new().route(\"/page\", get(page)).layer(it)); }}\n\
             async fn page(data: Data) -> Result<(), Error> {{ {statement} Ok(()) }}"
        );
        let found = listed(&format!("conditional/{number}"), &main);
        let expected = ["/page", layers, checks].map(str::to_owned);
        assert_eq!(found, [expected.into()], "{layer} {statement}");
    }
}

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
        ("guarded.instead(bare)", ""),
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
