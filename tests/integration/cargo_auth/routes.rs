//! `cargo auth routes`, on a service without access policies.

use std::fmt::Write as _;

use crate::cargo_auth::refused::made;
use crate::cargo_auth::{expect, json, run, workspace};

#[test]
fn checks_of_plain_routers_are_listed() {
    let plain = workspace("plain");
    let text = run(&plain, &["routes"]);
    assert_eq!((text.status, text.errors.as_str()), (0, ""));
    expect(&text.text, "plain.routes");
    let document = run(&plain, &["routes", "--format=json"]);
    expect(&document.text, "plain.routes.json");
}

#[test]
fn less_common_mounts_are_followed() {
    let mounted = workspace("mounted");
    let text = run(&mounted, &["routes"]);
    assert_eq!((text.status, text.errors.as_str()), (0, ""));
    expect(&text.text, "mounted.routes");
    assert!(!text.text.contains("/dropped"), "{}", text.text);
    let found = json(&mounted, &["routes", "--format=json"]);
    // The other function in that file is called by this one.
    let unused = &found["unused"];
    assert_eq!(unused.as_array().map(Vec::len), Some(1), "{unused}");
    assert_eq!(unused[0]["function"], "mounted::socket::router");
    assert_eq!(unused[0]["routes"], 2);
}

#[test]
fn policies_are_checks() {
    let found = json(&workspace("shop"), &["routes", "--format=json"]);
    let routes = found["routes"].as_array().expect("routes");
    assert!(!routes.is_empty());
    for route in routes.iter().filter(|route| route["handler"] != "closure") {
        assert_eq!(route["checks"][0]["kind"], "policy", "{route}");
    }
}

/// Only handlers with a policy compile on a guarded router.
#[test]
fn policies_in_macros_are_unknown() {
    let manifest = "[workspace]\n[package]\nname = \"made\"\nedition = \"2024\"\n\
                    [dependencies]\nauth-runtime = \"0.1\"\naxum = \"0.8\"\n";
    let main = r#"use auth_runtime::{GuardedRouter, routing};
use axum::{Router, routing::get};
make_handlers!(made, other);
fn main() {
    let app = GuardedRouter::new().route("/made", routing::get(made).post(other));
    let app = more(app).adopt(old(), "checked by hand").fallback_service(Files, files());
    let app = app.nest_service("/metrics", Metrics, metrics());
    let app = app.protect(space()).into_router("beside plain routes");
    serve(app.route("/plain", get(bare)).merge(OpenApiRouter::new().route("/documented", get(bare))));
}
pub fn more(router: GuardedRouter) -> GuardedRouter { router.route("/more", routing::get(other)) }
fn metrics() -> Router { Router::new().route("/", get(bare)) }
fn old() -> Router { Router::new().route("/old", get(bare)) }
async fn bare() {}
"#;
    let folder = made("made", &[("Cargo.toml", manifest), ("src/main.rs", main)]);
    let found = json(&folder, &["routes", "--format=json"]);
    let routes = found["routes"].as_array().expect("routes").iter();
    let routes: Vec<_> = routes
        .map(|route| (route["path"].as_str().unwrap_or_default(), &route["checks"]))
        .collect();
    let unknown = serde_json::json!([{ "kind": "policy", "text": "unknown" }]);
    let none = serde_json::json!([]);
    assert_eq!(
        routes,
        [
            ("/made", &unknown),
            ("/made", &unknown),
            ("/*", &unknown),
            ("/metrics/*", &unknown),
            ("/plain", &none),
            ("/documented", &none),
            ("/more", &unknown),
            ("/old", &none),
        ]
    );
    let checked = run(&folder, &["check", "--progress"]).text;
    let progress = "5 of 8 routes guarded, 1 adopted, 2 on plain routers\n";
    assert!(checked.ends_with(progress), "{checked}");
}

#[test]
fn a_place_is_one_result() {
    let log = json(&workspace("plain"), &["routes", "--format=sarif"]);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let mut places: Vec<_> = results
        .iter()
        .map(|result| result["locations"].to_string())
        .collect();
    let all = places.len();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), all);
    let open = results
        .iter()
        .filter(|result| result["ruleId"] == "route-without-check");
    assert_eq!(open.count(), 4);
}

#[test]
fn a_missing_file_is_reported() {
    let manifest = "[workspace]\n[package]\nname = \"plain\"\nedition = \"2024\"\n";
    let mut main = "mod generated;\nuse axum::{Router, routing::get};\n".to_owned();
    main.push_str("fn main() { serve(Router::new()");
    for index in 0..300 {
        write!(main, ".route(\"/{index}\", get(handler))").expect("a text");
    }
    main.push_str("); }\nasync fn handler() {}\n");
    let folder = made(
        "unread",
        &[("Cargo.toml", manifest), ("src/main.rs", &main)],
    );
    let found = json(&folder, &["routes", "--format=json"]);
    assert_eq!(found["routes"].as_array().map(Vec::len), Some(300));
    let unread = "src/main.rs:1:5: the file of the module `generated` is missing";
    assert_eq!(found["unread"][0], unread);
    let listed = run(&folder, &["list"]);
    assert_eq!(listed.errors, format!("error: {unread}\n"));
}

#[test]
fn progress_counts_adopted_routes() {
    let manifest = "[workspace]\n[package]\nname = \"half\"\nedition = \"2024\"\n\
                    [dependencies]\nauth-runtime = \"0.1\"\naxum = \"0.8\"\n";
    let main = r#"mod old;
use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, public};
#[public(reason = "a test")]
async fn new() {}
fn main() {
    let old = old::router();
    let app = GuardedRouter::new().route("/new", get(new)).adopt(old, "checked by hand");
    axum::serve(app.protect(space()));
}
"#;
    let old = r#"use axum::{Router, routing::get};
pub fn router() -> Router {
    Router::new().route("/a", get(a).post(a)).fallback(a)
}
async fn a() {}
"#;
    let files = [
        ("Cargo.toml", manifest),
        ("src/main.rs", main),
        ("src/old.rs", old),
    ];
    let folder = made("half", &files);
    let listed = run(&folder, &["list"]).text;
    let line = "src/main.rs:8: adopted router, without policies: checked by hand\n";
    assert!(listed.contains(line), "{listed}");
    let checked = run(&folder, &["check", "--progress"]);
    assert_eq!(checked.status, 1);
    let progress = "src/old.rs: 2 routes without a policy\n\
                    1 of 3 routes guarded, 2 adopted, 0 on plain routers\n";
    assert!(checked.text.ends_with(progress), "{}", checked.text);
    assert_eq!(
        checked.text.matches("[AUTH0102]").count(),
        1,
        "{}",
        checked.text
    );
}

/// Returns the paths of all routes, each with its layers and the texts of its checks.
pub(super) fn listed(name: &str, main: &str) -> Vec<(String, String, String)> {
    let manifest = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n\
                    [dependencies]\nauth-runtime = \"0.1\"\naxum = \"0.8\"\n";
    let files = [("Cargo.toml", manifest), ("src/main.rs", main)];
    let found = json(&made(name, &files), &["routes", "--format=json"]);
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let joined = |value: &serde_json::Value, of: &dyn Fn(&serde_json::Value) -> String| {
        let all = value.as_array().expect("a list").iter().map(of);
        all.collect::<Vec<_>>().join(", ")
    };
    let routes = found["routes"].as_array().expect("routes").iter();
    let described = routes.map(|route| {
        let checks = joined(&route["checks"], &|check| text(&check["text"]));
        let layers = joined(&route["layers"], &text);
        (text(&route["path"]), layers, checks)
    });
    described.collect()
}

/// A method that takes the router by reference changes nothing.
#[test]
fn read_routers_keep_their_layers() {
    for (number, statement) in [
        "let document = routes.public_openapi(&space, Api::openapi())?; keep(document);",
        "let document = routes.internal_openapi(&space, Api::openapi())?;",
        "let document = routes.openapi(Api::openapi())?;",
        "let table = keep(routes.access_table());",
        "keep(routes.clone().access_table());",
        "keep((make()?).access_table());",
        "let document = public_openapi(&routes.access_table(), &space, Api::openapi())?;",
        "for (path, note) in routes.extensions::<Note>() { keep(path); }",
        "if routes.has_routes() { keep(space); }",
        "let documents = axum::Router::new().merge(routes.metadata_router());",
    ]
    .into_iter()
    .enumerate()
    {
        let main = format!(
            "use auth_runtime::routing::get; use auth_runtime::GuardedRouter;\n\
             fn make() -> Result<GuardedRouter, Error> {{ Ok(GuardedRouter::new().route(\"/page\", get(page))) }}\n\
             fn app(space: Space) -> Result<axum::Router, Error> {{ let routes = make()?; {statement}\n\
             Ok(routes.protect(space)?.layer(TraceLayer::new_for_http()).into_router(\"why\")) }}\n\
             fn main() {{ axum::serve(app(space())?); }}"
        );
        let expected = ["/page", "TraceLayer", "unknown"].map(str::to_owned);
        assert_eq!(
            listed(&format!("read/{number}"), &main),
            [expected.into()],
            "{statement}"
        );
    }
}

/// A router from which only the access table is made is shown as one that is served.
#[test]
fn routers_only_read_are_listed() {
    for (number, statement) in [
        "keep(make().access_table());",
        "let routes = make(); keep(routes.access_table());",
        "keep(make().route(\"/page\", get(page)).access_table());",
    ]
    .into_iter()
    .enumerate()
    {
        let main = format!(
            "use auth_runtime::routing::get; use auth_runtime::GuardedRouter;\n\
             fn make() -> GuardedRouter {{ GuardedRouter::new().route(\"/page\", get(page)) }}\n\
             fn main() {{ {statement} }}"
        );
        let found = listed(&format!("only_read/{number}"), &main);
        let paths = found.iter().map(|(path, ..)| path.as_str());
        let mut paths: Vec<_> = paths.collect();
        paths.dedup();
        assert_eq!(paths, ["/page"], "{statement}");
    }
}

/// A middleware with the result of an extractor may respond in its place.
#[test]
fn middleware_checks_result_of_extractor() {
    for (number, (middleware, is_check)) in [
        (
            "user: Result<AuthUser, AppError>, request: Request, next: Next) -> Result<Response, AppError> \
             { match user { Ok(user) if user.is_admin() => Ok(next.run(request).await), _ => Err(AppError::NotFound) }",
            true,
        ),
        (
            "user: Result<AuthUser, AppError>, request: Request, next: Next) -> Result<Response, AppError> \
             { user?; Ok(next.run(request).await)",
            true,
        ),
        (
            "user: Result<AuthUser, AppError>, request: Request, next: Next) -> Response \
             { let Ok(_) = user else { return not_found() }; next.run(request).await",
            true,
        ),
        (
            "user: Result<AuthUser, AppError>, request: Request, next: Next) -> Response \
             { match user { Ok(_) => next.run(request).await, Err(error) => error.into_response() }",
            true,
        ),
        (
            "user: Result<AuthUser, AppError>, mut request: Request, next: Next) -> Response \
             { match user { Ok(user) => request.insert(user), Err(_) => {} } next.run(request).await",
            false,
        ),
        (
            "user: Option<AuthUser>, request: Request, next: Next) -> Result<Response, AppError> \
             { take(user)?; Ok(next.run(request).await)",
            false,
        ),
        (
            "page: Result<Json<Page>, AppError>, request: Request, next: Next) -> Result<Response, AppError> \
             { page?; Ok(next.run(request).await)",
            false,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let main = format!(
            "use axum::{{Router, routing::get}};\n\
             fn main() {{ axum::serve(Router::new().route(\"/page\", get(page)).route_layer(from_fn(admins))); }}\n\
             async fn page() {{}}\n\
             async fn admins({middleware} }}"
        );
        let check = if is_check { "admins" } else { "" };
        let expected = ["/page", "from_fn(admins)", check].map(str::to_owned);
        let found = listed(&format!("result/{number}"), &main);
        assert_eq!(found, [expected.into()], "{middleware}");
    }
}
