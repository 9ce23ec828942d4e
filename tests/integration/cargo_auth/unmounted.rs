//! `cargo auth routes`: each mount of a router, and handlers that reach no known router.

use crate::cargo_auth::json;
use crate::cargo_auth::refused::made;
use crate::cargo_auth::routes::listed;

const AUTH: &str = "async fn auth(request: Request, next: Next) -> Result<Response, StatusCode> \
                    { Err(StatusCode::UNAUTHORIZED) }\n\
                    async fn log(request: Request, next: Next) -> Response { next.run(request).await }\n";

/// The router of a second listener may lack the check of the first one.
#[test]
fn each_mount_of_router_is_listed() {
    for (name, layer, layers) in [
        ("another_layer", ".layer(from_fn(log))", "from_fn(log)"),
        ("no_layer", "", ""),
    ] {
        let main = format!(
            "use axum::{{Router, routing::get}};\n{AUTH}async fn orders() {{}}\n\
             fn api() -> Router {{ Router::new().route(\"/orders\", get(orders)) }}\n\
             fn main() {{\n\
             let public = Router::new().merge(api()).layer(from_fn(auth));\n\
             let internal = Router::new().merge(api()){layer};\n\
             axum::serve(public); axum::serve(internal);\n}}"
        );
        let mut found = listed(name, &main);
        found.sort();
        let open = ["/orders", layers, ""].map(str::to_owned);
        let checked = ["/orders", "from_fn(auth)", "auth"].map(str::to_owned);
        let mut expected: [(String, String, String); 2] = [open.into(), checked.into()];
        expected.sort();
        assert_eq!(found, expected, "{name}");
        let folder = made(name, &[("Cargo.toml", MANIFEST), ("src/main.rs", &main)]);
        let log = json(&folder, &["routes", "--format=sarif"]);
        let results = log["runs"][0]["results"].as_array().expect("results");
        let open = results
            .iter()
            .filter(|result| result["ruleId"] == "route-without-check");
        assert_eq!(open.count(), 1, "{name}: {log}");
    }
}

const MANIFEST: &str = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n\
                        [dependencies]\nauth-runtime = \"0.1\"\naxum = \"0.8\"\n";

/// Returns the methods, paths and handlers of the routes without a check.
fn open(name: &str, body: &str) -> Vec<String> {
    let main = format!(
        "use axum::{{Router, routing::{{MethodRouter, get, post}}}};\n{AUTH}\
         async fn a() {{}}\nasync fn b() {{}}\n{body}\n"
    );
    let folder = made(name, &[("Cargo.toml", MANIFEST), ("src/main.rs", &main)]);
    let found = json(&folder, &["routes", "--format=json"]);
    let routes = found["routes"].as_array().expect("routes").iter();
    let open = routes.filter(|route| route["checks"] == serde_json::json!([]));
    open.map(|route| {
        let line = ["method", "path", "handler"].map(|key| &route[key]);
        format!("{} {} {}", line[0], line[1], line[2]).replace('"', "")
    })
    .collect()
}

/// Their paths are not known.
#[test]
fn handlers_without_known_router_are_listed() {
    for (name, body, expected) in [
        (
            "server",
            "fn main() { vendor::Server::new().endpoint(\"/pay\", get(a)).serve(); }",
            &["GET … a"][..],
        ),
        (
            "method_of_a_trait",
            "fn main() { axum::serve(Router::new().endpoint(\"/pay\", get(a))); }",
            &["GET … a"],
        ),
        (
            "fold",
            "fn main() { let app = [(\"/a\", get(a)), (\"/b\", post(b))].into_iter()\
             .fold(Router::new(), |r, (p, m)| r.route(p, m)); axum::serve(app); }",
            &["GET … a", "POST … b"],
        ),
        (
            "array",
            "fn table() -> [(&'static str, MethodRouter); 2] { [(\"/a\", get(a)), (\"/b\", post(b))] }\n\
             fn main() { vendor::serve(table()); }",
            &["GET … a", "POST … b"],
        ),
        (
            "vector",
            "fn table() -> Vec<(&'static str, MethodRouter)> { vec![(\"/a\", get(a)), (\"/b\", post(b))] }\n\
             fn main() { vendor::serve(table()); }",
            &["GET … a", "POST … b"],
        ),
        (
            "branches",
            "fn main() { vendor::serve(if test() { [get(a)] } else { [post(b)] }); }",
            &["GET … a", "POST … b"],
        ),
        (
            "field",
            "fn main() { vendor::serve(Route { path: \"/a\", methods: get(a).post(b) }); }",
            &["GET … a", "POST … b"],
        ),
        (
            "static",
            "static TABLE: LazyLock<Vec<MethodRouter>> = LazyLock::new(|| vec![get(a)]);\n\
             fn main() { vendor::serve(&TABLE); }",
            &["GET … a"],
        ),
        (
            "by_another_function",
            "fn page() -> MethodRouter { get(a) }\n\
             fn main() { vendor::serve(page().layer(from_fn(log))); vendor::serve(page()); }",
            &["GET … a", "GET … a"],
        ),
    ] {
        assert_eq!(open(name, body), expected, "{name}");
    }
}

/// Not those of axum.
#[test]
fn variables_named_like_methods_add_nothing() {
    for (name, body, expected) in [
        (
            "closure",
            "fn main() { let get = |key: &str| std::env::var(key);\n\
             run(Settings { host: get(\"HOST\"), port: get(\"PORT\").parse() }); }",
            &[][..],
        ),
        (
            "closure_without_an_import",
            "fn main() { let put = |key: &str| std::env::var(key);\n\
             run(Settings { host: put(\"HOST\"), port: put(\"PORT\").parse() }); }",
            &[],
        ),
        (
            "parameter",
            "fn load(head: impl Fn(&str) -> Option<String>) -> Settings { Settings { host: head(\"HOST\") } }\n\
             fn main() { run(load(|key| std::env::var(key).ok())); }",
            &[],
        ),
        (
            "parameter_of_a_closure",
            "fn main() { let load = |any: &dyn Fn(&str) -> String| [any(\"HOST\")]; }",
            &[],
        ),
        (
            "pattern",
            "fn main() { if let Some(trace) = tracer() { [trace(\"started\")] } \
             else { match other() { (connect, _) => [connect(\"HOST\")] } }; \
             for patch in patches() { [patch(\"a\")]; } }",
            &[],
        ),
        (
            "inner_block",
            "fn main() { { let get = |key: &str| key; run(Settings { host: get(\"HOST\") }); }\n\
             vendor::serve(get(a)); }",
            &["GET … a"],
        ),
        (
            "former_patterns",
            "fn main() { if let Some(get) = setting() { run(get); } else { vendor::serve(get(a)); }\n\
             for post in posts() { run(post); }\n\
             match setting() { get => run(get) } let _ = |get| run(get);\n\
             vendor::serve(get(a)); vendor::serve(post(b)); }",
            &["GET … a", "GET … a", "POST … b"],
        ),
    ] {
        assert_eq!(open(name, body), expected, "{name}");
    }
}

/// A route that a router takes is listed with its path only.
#[test]
fn mounted_handlers_are_listed_once() {
    for (name, body) in [
        (
            "variable",
            "fn main() { let page = get(a); axum::serve(Router::new().route(\"/a\", page)); }",
        ),
        (
            "function",
            "fn page() -> MethodRouter { get(a) }\n\
             fn main() { axum::serve(Router::new().route(\"/a\", page())); }",
        ),
        (
            "changed_by_a_function",
            "fn logged(methods: MethodRouter) -> MethodRouter { methods.layer(from_fn(log)) }\n\
             fn main() { axum::serve(Router::new().route(\"/a\", logged(get(a)))); }",
        ),
        (
            "in_a_function",
            "fn api() -> Router { let page = get(a); Router::new().route(\"/a\", page) }\n\
             fn main() { axum::serve(api()); }",
        ),
        (
            "branch",
            "fn main() { let mut app = Router::new(); let page = get(a);\n\
             if test() { app = app.route(\"/a\", page); } axum::serve(app); }",
        ),
    ] {
        assert_eq!(open(name, body), ["GET /a a"], "{name}");
    }
}
