//! Every function and method of axum that mounts something, and every way to add a plain router to a
//! guarded one.

use serde_json::Value;

use crate::cargo_auth::refused::made;
use crate::cargo_auth::{json, run, workspace};

const MANIFEST: &str = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n\
                        [dependencies]\nauth-runtime = \"0.1\"\naxum = \"0.8\"\n";

/// Returns the lines of the findings, each with its code.
fn found(name: &str, source: &str) -> Vec<(u64, String)> {
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source)];
    let folder = made(&format!("plain/{name}"), &files);
    let found = json(&folder, &["check", "--format=json"]);
    let found = found.as_array().expect("findings").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    found
        .map(|it| (it["line"].as_u64().expect("a line"), text(&it["code"])))
        .collect()
}

#[test]
fn each_mount_of_axum_is_found() {
    let mut statements = Vec::new();
    for method in [
        "any", "connect", "delete", "get", "head", "options", "patch", "post", "put", "trace",
    ] {
        statements.push(format!("axum::routing::{method}(bare)"));
        statements.push(format!("axum::routing::{method}_service(files())"));
        if method != "any" {
            statements.push(format!("axum::routing::MethodRouter::new().{method}(bare)"));
            let service = format!("{method}_service(files())");
            statements.push(format!("axum::routing::MethodRouter::default().{service}"));
        }
    }
    statements.extend(
        [
            "axum::routing::on(MethodFilter::GET, bare)",
            "axum::routing::on_service(MethodFilter::GET, files())",
            "axum::routing::MethodRouter::default().on(MethodFilter::GET, bare)",
            "axum::routing::MethodRouter::new().on_service(MethodFilter::GET, files())",
            "axum::routing::MethodRouter::new().fallback(bare)",
            "axum::routing::MethodRouter::new().fallback_service(files())",
            "axum::Router::new().fallback(bare)",
            "axum::Router::new().fallback_service(files())",
            "axum::Router::new().method_not_allowed_fallback(bare)",
            "axum::Router::new().route_service(\"/\", files())",
            "axum::Router::new().nest_service(\"/\", files())",
            "axum::Router::fallback(router, bare)",
            "axum::Router::fallback_service(router, files())",
            "axum::Router::method_not_allowed_fallback(router, bare)",
            "axum::Router::route_service(router, \"/\", files())",
            "axum::Router::nest_service(router, \"/\", files())",
            "axum::Router::new().route_service_with_tsr(\"/\", files())",
            "axum_extra::routing::RouterExt::route_service_with_tsr(router, \"/\", files())",
            "aide::axum::routing::get_with(bare, docs)",
            "aide::axum::routing::get_with(guarded, docs).post_with(bare, docs)",
        ]
        .map(str::to_owned),
    );
    let mut source = "async fn bare() {} #[auth_runtime::requires(authenticated)] async fn guarded() {} fn f() {\n"
        .to_owned();
    for statement in &statements {
        source.push_str(&format!("{statement};\n"));
    }
    source.push('}');
    let found = found("mounts", &source);
    for (line, statement) in std::iter::zip(2.., &statements) {
        let codes: Vec<_> = found.iter().filter(|(at, _)| *at == line).collect();
        assert_eq!(codes, [&(line, "AUTH0101".to_owned())], "{statement}");
    }
    assert_eq!(found.len(), statements.len(), "{found:?}");
}

/// A function for the guards of several handlers has no policy of its own.
#[test]
fn functions_with_handler_guards_are_found() {
    let source = "
#[auth_runtime::requires(authenticated)]
async fn list(guard: auth_runtime::Guard) { by_reference(&guard).await }
async fn by_reference<P: auth_runtime::routing::KnowsCaller>(guard: &auth_runtime::Guard<P>) {}
async fn by_value<P: auth_runtime::routing::KnowsCaller>(guard: auth_runtime::Guard<P>) {}
fn f() { axum::routing::get(by_value::<policy_of_list>); }
";
    assert_eq!(found("shared", source), [(6, "AUTH0101".to_owned())]);
}

/// Types and values have separate names: the module is not the handler.
#[test]
fn modules_named_like_handlers_change_nothing() {
    let source = "
#[auth_runtime::requires(authenticated)] async fn users() {}
mod users { pub async fn list() {} }
fn f() { axum::routing::get(users); }
fn g() { axum::routing::get(users::list); }
";
    assert_eq!(found("namesakes", source), [(5, "AUTH0101".to_owned())]);
}

/// An added router is reported with its reason, however it is written, and its routes are not reported again.
#[test]
fn each_added_router_is_reported() {
    let pages = "let pages = axum::Router::new().route(\"/\", axum::routing::get(bare));";
    let cases = [
        ("g.adopt(pages(), \"why\");", true),
        ("% g.adopt(pages, \"why\");", false),
        ("% g.adopt(pages, WHY);", false),
        ("% g.adopt(pages, why);", false),
        (
            "% let router = GuardedRouter::new(); { let router = cat(); } router.adopt(pages, why());",
            false,
        ),
        (
            "% with(|router: GuardedRouter| router.adopt(pages, why));",
            false,
        ),
        ("g.adopt(pages(), reasons::WHY);", true),
        ("g.adopt(pages(), concat!(\"why\", \" not\"));", true),
        ("GuardedRouter::adopt(g, pages(), \"why\");", true),
        ("g.route(\"/\", get(home)).adopt(pages(), why());", true),
        ("% GuardedRouter::adopt(g, pages, why);", false),
        ("% GuardedRouter::adopt(g, pages, WHY);", false),
        ("g.merge_unguarded(\"why\", &[\"/\"], pages());", true),
        ("% g.merge_unguarded(WHY, &[\"/\"], pages);", false),
        (
            "GuardedRouter::merge_unguarded(g, \"why\", &[\"/\"], pages());",
            true,
        ),
        (
            "% GuardedRouter::merge_unguarded(g, WHY, &[\"/\"], pages);",
            false,
        ),
    ];
    let mut source = String::new();
    for (number, (statements, _)) in cases.iter().enumerate() {
        source.push_str(&format!(
            "mod case_{number} {{ use auth_runtime::GuardedRouter; async fn bare() {{}} \
             fn pages() -> axum::Router {{ axum::Router::new().route(\"/\", axum::routing::get(bare)) }} \
             fn f(g: GuardedRouter) {{ {} }} }}\n",
            statements.replace('%', pages)
        ));
    }
    // Other types have a method of that name.
    source.push_str(
        "fn f(cat: Cat) { cat.adopt(kitten, owner); cat.adopt(kitten, 1); cat.adopt(kitten); }\n",
    );
    let found = found("added", &source);
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
    let listed = json(&made("plain/added", &files), &["list", "--format=json"]);
    let listed = listed["unguarded"].as_array().expect("a list");
    let count = cases.len() as u64;
    for (line, (statements, is_called)) in std::iter::zip(1_u64.., cases) {
        let of = |code: &str| {
            let found = found.iter().filter(|(at, own)| *at == line && own == code);
            found.count()
        };
        assert_eq!(of("AUTH0102"), 1, "{statements}: {found:?}");
        // The function that is not called here has a route of its own.
        assert_eq!(
            of("AUTH0101"),
            usize::from(!is_called),
            "{statements}: {found:?}"
        );
        let rows = listed.iter().filter(|row| row["line"] == line);
        assert_eq!(rows.count(), 1, "{statements}: {listed:#?}");
    }
    assert!(found.iter().all(|(line, _)| *line <= count), "{found:?}");
}

/// The functions that make an added router are not reported, unless another router uses them as well.
#[test]
fn functions_of_added_routers_are_followed() {
    let source = r#"use auth_runtime::GuardedRouter;
use axum::{Router, routing::{MethodRouter, get}};
type Pages = Router<Db>;
async fn bare() { axum::serve(Router::new().route("/", get(bare))); } // found
mod users { pub fn router() -> axum::Router { axum::Router::new().route("/users", super::get(super::bare)) } }
fn orders() -> Pages { Router::new().route("/orders", get(bare)) }
fn list() -> MethodRouter { get(bare) }
async fn more(this: &Shop) -> Router { this.shelf().merge(Shop::again()) }
fn legacy() -> Router { Router::new().merge(users::router()).nest("/o", orders()).route("/l", list()) }
fn shared() -> Router { Router::new().route("/shared", get(bare)) } // found
fn recursive(depth: u8) -> Router { if depth > 9 { return recursive(depth - 1) } Router::new().route("/", get(bare)) }
fn built() -> Built { Built(Router::new().route("/", get(bare))) }
struct Shop;
impl Shop {
    fn shelf(&self) -> Router { Router::new().route("/shelf", get(bare)) }
    fn again() -> Router { Self::third() }
    fn third() -> Router { spawn(); Router::new().route("/third", get(bare)) }
    fn other(&self) -> Router { Router::new().route("/other", get(bare)) } // found
}
fn spawn() -> Task { Task::of(Router::new().route("/admin", get(bare))) } // found
async fn guarded(shop: &Shop) -> GuardedRouter {
    GuardedRouter::new()
        .adopt(legacy().merge(more(shop).await), "checked by hand")
        .adopt(recursive(3).merge(built().0), "checked by hand")
        .merge_unguarded("no secret", &["/users"], users::router().layer(Logs).merge(shop.other()))
        .merge_unguarded("no secret", &["/shared"], shared())
}
fn plain(shop: &Shop) -> Router { shared().merge(shop.other()) }
"#;
    assert_marked("functions", source, 4);
}

/// The policy of a service applies to all routes in it.
#[test]
fn routes_within_guarded_services_are_guarded() {
    let source = r#"use auth_runtime::{GuardedRouter, requires};
use axum::{Router, routing::{MethodRouter, get}};
#[requires(network = "cluster")]
struct Metrics;
async fn scrape() {}
fn metrics() -> Router { Router::new().route("/", get(scrape)).merge(parts::more()) }
mod parts { pub fn more() -> axum::Router { axum::Router::new().fallback(super::scrape) } }
fn shared() -> MethodRouter { get(scrape) } // found
fn legacy() -> Router { Router::new().route("/", get(scrape)) }
fn guarded() -> GuardedRouter {
    let local = Router::new().route("/", get(scrape));
    let methods = get(scrape);
    let by_function = get(scrape);
    let other = get(scrape); // found
    let both = Router::new().route("/", get(scrape)); // found
    let printed = get(scrape); // found
    println!("{:?}", printed);
    public(Router::new().merge(both.clone()));
    GuardedRouter::new()
        .nest_service("/both", Metrics, both)
        .route_service("/printed", Metrics, printed)
        .nest_service("/metrics", Metrics, metrics())
        .nest_service("/local", Metrics, local)
        .route_service("/closure", Metrics, Router::new().route("/", get(|| async {})))
        .route("/methods", auth_runtime::routing::get_service(Metrics, methods).fallback_service(Metrics, get(scrape)))
        .route("/on", auth_runtime::routing::on_service(MethodFilter::GET, Metrics, by_function))
        .route("/shared", auth_runtime::routing::any_service(Metrics, shared()))
        .nest_service("/adopting", Metrics, GuardedRouter::new().adopt(legacy(), "checked by hand").protect(space))
        .fallback_service(Metrics, axum::routing::get(scrape))
}
fn by_path(router: GuardedRouter) -> GuardedRouter {
    let by_path = get(scrape);
    GuardedRouter::nest_service(router, "/by_path", Metrics, by_path)
}
fn plain(router: Router) -> Router {
    let files = get(scrape); // found
    MethodRouter::on_service(get(scrape), MethodFilter::GET, Router::new().route("/", get(scrape))); // found // found // found
    Router::nest_service(router, "/", files) // found
        .route("/shared", shared())
        .fallback_service(get(scrape)) // found // found
}
"#;
    assert_marked("services", source, 1);
}

/// A guarded router takes the policy of a unit struct, and a plain one does not. A unit struct can also be a handler.
#[test]
fn unit_structs_protect_no_plain_route() {
    let source = r#"use axum::{Router, routing::get};
#[auth_runtime::requires(role = "admin")]
struct Reports;
impl<S> Handler<(), S> for Reports { fn call(self, _: Request, _: S) -> Self::Future { ready() } }
pub fn plain() -> Router { Router::new().route("/reports", get(Reports)) } // found
pub fn guarded() -> auth_runtime::GuardedRouter { auth_runtime::GuardedRouter::new().nest_service("/files", Reports, files()) }
"#;
    assert_marked("unit_structs", source, 0);
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source)];
    let found = json(
        &made("plain/unit_structs", &files),
        &["routes", "--format=json"],
    );
    let routes = found["routes"].as_array().expect("routes").iter();
    let checks: Vec<_> = routes
        .map(|route| route["checks"].as_array().map(Vec::len))
        .collect();
    assert_eq!(checks, [Some(0), Some(1)], "{found}");
}

/// A protected router checks its own policies, as in the guide.
#[test]
fn protected_routers_are_services_with_policies() {
    let source = r#"use auth_runtime::{GuardedRouter, ProtectedRouter};
use axum::{Router, routing::{any_service, get_service}};
fn guide(api: ProtectedRouter) -> Router {
    let versions = Router::new().nest_service("/v1", api);
    Router::new().nest("/api", versions)
}
fn result() -> Result<Router, Error> {
    let api = routes().protect(space()).context("api")?;
    let same = api.clone().layer(Logs);
    let typed: ProtectedRouter = unknown();
    let made = Shop::api()?;
    let plain = api.into_router("mounted below"); let metadata = api.metadata_router();
    Ok(Router::new()
        .route_service("/1", same)
        .route("/2", any_service(typed))
        .nest_service("/3", made)
        .nest_service("/4", api().unwrap())
        .nest_service("/5", routes().protect(space())?)
        .nest_service("/6", plain) // found
        .nest_service("/7", metadata) // found
        .nest_service("/8", routes().protect(space())?.into_router("why")) // found
        .nest_service("/9", either()) // found
        .nest_service("/10", api().map_or(files(), wrap)) // found
        .fallback_service(api.layer(Logs)))
}
fn closure() { serve(|api: ProtectedRouter, files: Files| get_service(api).post_service(files)); } // found
fn shadowed(api: ProtectedRouter) -> Router {
    let api = files();
    Router::new().nest_service("/", api) // found
}
fn api() -> Result<ProtectedRouter, Error> { routes().protect(space()) }
#[cfg(a)] fn either() -> ProtectedRouter { unknown() }
#[cfg(not(a))] fn either() -> Router { unknown() }
struct Shop;
impl Shop { fn api() -> Result<ProtectedRouter, Error> { unknown() } }
"#;
    assert_marked("protected", source, 0);
}

/// Asserts that the findings are those at the end of their lines, and the number of added routers.
pub(super) fn assert_marked(name: &str, source: &str, added: usize) {
    let found = found(name, source);
    let lines = std::iter::zip(1_u64.., source.lines());
    let expected: Vec<u64> = lines
        .flat_map(|(line, text)| vec![line; text.matches("// found").count()])
        .collect();
    let of = |code: &str| {
        let found = found.iter().filter(|(_, own)| own == code);
        found.map(|(line, _)| *line).collect::<Vec<_>>()
    };
    assert_eq!(of("AUTH0101"), expected);
    assert_eq!(of("AUTH0102").len(), added);
}

/// In a pipeline, the exit status decides.
#[test]
fn findings_have_status_in_every_format() {
    for (name, status) in [("careless", 1), ("shop", 0)] {
        for arguments in [
            &[][..],
            &["--format=text"],
            &["--format=json"],
            &["--format=sarif"],
            &["--progress"],
            &["--allow-unguarded"],
            &["--allow-unguarded", "--format=sarif"],
        ] {
            let checked = run(&workspace(name), &[&["check"], arguments].concat());
            assert_eq!(checked.status, status, "{name} {arguments:?}");
        }
    }
}
