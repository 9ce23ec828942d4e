//! Open patterns that match spellings of guarded paths, as far as they are visible in sources.

use crate::cargo_auth::refused::made;
use crate::cargo_auth::{json, run};

const MANIFEST: &str = "[workspace]\n[package]\nname = \"it\"\nedition = \"2024\"\n\
                        [dependencies]\nauth-runtime = \"0.1\"\naxum = \"0.8\"\n";

const HANDLERS: &str = "\
use auth_runtime::{GuardedRouter, public, requires, routing::*};
#[public(reason = \"pages\")] async fn page() {}
#[public(reason = \"pages\")] struct Pages;
#[requires(role = \"admin\")] async fn secret() {}
#[requires(role = \"admin\")] struct Staff;
#[requires(authenticated)] async fn known() {}
#[requires(scope = \"a\")] async fn other() {}
";

/// Returns the lines with open patterns, each with a short form of its finding.
fn found(name: &str, source: &str) -> Vec<String> {
    let source = format!("{HANDLERS}{source}");
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
    let folder = made(&format!("patterns/{name}"), &files);
    let found = json(&folder, &["check", "--format=json"]);
    let found = found.as_array().expect("findings").iter();
    let found = found.filter(|it| it["code"] == "AUTH0106");
    found
        .map(|it| {
            let message = it["message"].as_str().expect("a text");
            let (first, _) = message.split_once('\n').expect("two lines");
            let what = first.replace(" also matches percent-encoded spellings of ", ": ");
            let what = what
                .replace(", and allows more callers", "")
                .replace('`', "");
            format!("{}: {what}", it["line"])
        })
        .collect()
}

#[test]
fn nested_open_patterns_are_found() {
    for (name, source, expected) in [
        (
            "a_wildcard",
            "fn f() -> GuardedRouter { GuardedRouter::new().route(\"/x/secret\", get(secret)).route(\"/x/{*p}\", get(page)) }",
            &["8: GET /x/{*p}: /x/secret"][..],
        ),
        (
            "a_parameter_for_everybody_and_for_more",
            "fn f() { let r = GuardedRouter::new().route(\"/x/secret\", get(secret).put(secret))\n.route(\"/x/{p}\", get(page).put(known).post(page)); }",
            &["9: GET /x/{p}: /x/secret", "9: PUT /x/{p}: /x/secret"],
        ),
        (
            "policies_that_are_not_comparable",
            "fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).route(\"/x/{p}\", get(other));\nGuardedRouter::new().route(\"/x/secret\", get(secret)).route(\"/x/{*p}\", get(other)); }",
            &["9: GET /x/{*p}: /x/secret"],
        ),
        (
            "functions",
            "mod m { use super::*; pub fn inner() -> GuardedRouter { let mut r = GuardedRouter::new();\nr = r.route(\"/{*p}\", on(MethodFilter::GET.or(MethodFilter::PUT), page));\nr } }\n\
             fn f() -> Result<Router, E> { Ok(GuardedRouter::new().merge(m::inner()).nest(\"/x\", GuardedRouter::new().route(\"/secret\", get(secret))).protect(space)?) }",
            &["9: GET /{*p}: /x/secret"],
        ),
        (
            "the_longest_path",
            "fn inner() -> GuardedRouter { GuardedRouter::new().route(\"/s/secret\", get(secret)).nest_service(\"/s\", Pages, files()) }\n\
             fn f() { GuardedRouter::new().nest(\"/v1\", inner()); }",
            &["8: any /v1/s/*: /v1/s/secret"],
        ),
        (
            "a_plain_router",
            "fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).merge_unguarded(\"why\", &[\"/{*p}\", \"/y\"], r()); }",
            &["8: any /{*p}: /x/secret"],
        ),
        (
            "an_adopted_router",
            "fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).adopt(r(), \"why\"); }",
            &["8: any /*: /x/secret"],
        ),
        (
            "an_adopted_router_with_exact_paths",
            "fn old() -> axum::Router { axum::Router::new().route(\"/y/{p}\", axum::routing::get(bare)).nest(\"/z\", axum::Router::new().route(\"/{*p}\", axum::routing::get(bare))).fallback(bare) }\n\
             fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).adopt(old(), \"why\"); }",
            &[],
        ),
        (
            "an_adopted_router_with_a_wildcard",
            "fn old() -> axum::Router { axum::Router::new().route(\"/y\", axum::routing::get(bare))\n.route(\n\"/{*p}\", axum::routing::get(bare).put(bare)) }\n\
             fn inner() -> GuardedRouter { GuardedRouter::new().adopt(old(), \"why\") }\n\
             fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).nest(\"/x\", inner()); }",
            &["9: GET /x/{*p}: /x/secret"],
        ),
        (
            "an_adopted_router_in_a_branch",
            "fn old() -> axum::Router { axum::Router::new().route(\"/x/{p}\", axum::routing::any(bare)) }\n\
             fn f(all: bool) { let mut r = GuardedRouter::new().route(\"/x/secret\", get(secret)); if all { r = r.adopt(old(), \"why\"); } serve(r); }",
            &["8: any /x/{p}: /x/secret"],
        ),
        (
            "a_fallback",
            "fn f() { GuardedRouter::new().nest_service(\"/x\", Staff, files()).route(\"/y\", get(secret)).fallback_service(Pages, files()); }",
            &["8: any /*: /x/*"],
        ),
        (
            "what_is_right",
            "fn f() { GuardedRouter::new().route(\"/x/secret\", get(secret)).route(\"/x/{*p}\", get(secret).post(page)).fallback(page);\n\
             GuardedRouter::new().route(\"/y/secret\", get(secret)).protect(s)?.route(\"/y/{p}\", get(page));\n\
             GuardedRouter::new().route(\"/x/secret\", get(secret)); GuardedRouter::new().route(\"/x/{*p}\", get(page));\n\
             axum::Router::new().route(\"/x/secret\", get(secret)).route(\"/x/{*p}\", get(page)); }",
            &[],
        ),
        (
            "a_circle",
            "fn a() -> GuardedRouter { b().route(\"/x/secret\", get(secret)) } fn b() -> GuardedRouter { a().merge(a()).route(\"/x/{*p}\", get(page)) }",
            &["8: GET /x/{*p}: /x/secret"],
        ),
    ] {
        assert_eq!(found(name, source), expected, "{name}");
    }
}

/// Any path may be one of an adopted router whose routes are not all known.
#[test]
fn unknown_adopted_routes_are_open_patterns() {
    for (name, old) in [
        ("a_parameter", "old.route(\"/y\", axum::routing::get(bare))"),
        ("a_merged_parameter", "axum::Router::new().merge(old)"),
        (
            "a_nested_parameter",
            "axum::Router::new().nest(\"/y\", old)",
        ),
        ("a_merged_router", "axum::Router::new().merge(other::old())"),
        ("a_prefix", "axum::Router::new().nest(&c.prefix, other())"),
        (
            "a_path",
            "axum::Router::new().route(c.path, axum::routing::get(bare))",
        ),
        ("a_method", "other().with_pages()"),
        ("a_branch", "if c.all { other() } else { theirs::old() }"),
        (
            "another_branch",
            "match c.all { true => theirs::old(), false => other() }",
        ),
    ] {
        let source = format!(
            "fn other() -> axum::Router {{ axum::Router::new().route(\"/y\", axum::routing::get(bare)) }}\n\
             fn f(old: axum::Router, c: Config) {{ GuardedRouter::new().route(\"/x/secret\", get(secret)).adopt({old}, \"why\"); }}"
        );
        assert_eq!(found(name, &source), ["9: any /*: /x/secret"], "{name}");
    }
}

/// A guarded route and a pattern that covers it.
const SECRET: &str = ".route(\"/x/secret\", get(secret))";
const PAGES: &str = ".route(\"/x/{*p}\", get(page))";

#[test]
fn routers_are_read_wherever_made() {
    let both = format!("GuardedRouter::new(){SECRET}{PAGES}");
    let covered = "8: GET /x/{*p}: /x/secret";
    for (name, source, expected) in [
        (
            "constants",
            "const SECRET: &str = \"/x/secret\"; const PAGES: &str = \"/{*p}\";\n\
             fn f() { GuardedRouter::new().route(SECRET, get(secret)).route(&format!(\"/x{PAGES}\"), get(page)); }"
                .to_owned(),
            "9: GET /x/{*p}: /x/secret",
        ),
        (
            "listed_paths_in_a_constant",
            format!(
                "const OPEN: [&str; 1] = [\"/{{*p}}\"];\n\
                 fn f() {{ GuardedRouter::new(){SECRET}.merge_unguarded(\"why\", &OPEN, r()); }}"
            ),
            "9: any /{*p}: /x/secret",
        ),
        (
            "a_static",
            format!("static ROUTER: LazyLock<Router> = LazyLock::new(|| {both});"),
            covered,
        ),
        ("a_field", format!("fn f() {{ App {{ router: {both} }}; }}"), covered),
        (
            "a_closure",
            format!("fn f() {{ let make = || {both}; serve(make()); }}"),
            covered,
        ),
        (
            "a_foreign_type",
            format!("impl Module for &str {{ fn routes(&self) -> GuardedRouter {{ {both} }} }}"),
            covered,
        ),
        (
            "a_parameter",
            format!(
                "fn add(router: GuardedRouter) -> GuardedRouter {{ router{SECRET} }}\n\
                 fn f() {{ add(GuardedRouter::new()){PAGES}; }}"
            ),
            "9: GET /x/{*p}: /x/secret",
        ),
        (
            "a_router_that_is_read",
            format!("fn f() {{ let router = {both}; keep(router.access_table()); }}"),
            covered,
        ),
        (
            "a_router_that_is_read_at_once",
            format!("fn f() {{ keep({both}.access_table()); }}"),
            covered,
        ),
        (
            "a_plain_router_around_it",
            format!("fn f() {{ axum::Router::new().nest(\"/api\", {both}.protect(space)?); }}"),
            "8: GET /api/x/{*p}: /api/x/secret",
        ),
        (
            "a_router_of_another_crate",
            format!("fn f() {{ other::base().nest(\"/api\", {both}); }}"),
            "8: GET /api/x/{*p}: /api/x/secret",
        ),
        (
            "an_unknown_prefix",
            format!(
                "fn f(config: Config) {{ GuardedRouter::new().nest(&config.prefix, {both}).route(\"/{{*p}}\", get(page)); }}"
            ),
            "8: GET <config.prefix>/x/{*p}: <config.prefix>/x/secret",
        ),
        (
            "a_condition",
            format!(
                "fn f(pages: bool) {{ let mut router = GuardedRouter::new(){SECRET}; if pages {{ router = router{PAGES}; }} serve(router); }}"
            ),
            covered,
        ),
        (
            "functions_with_a_cfg",
            format!(
                "#[cfg(a)] fn base() -> GuardedRouter {{ GuardedRouter::new() }}\n\
                 #[cfg(not(a))] fn base() -> GuardedRouter {{ GuardedRouter::new(){SECRET} }}\n\
                 fn f() {{ base(){PAGES}; }}"
            ),
            "10: GET /x/{*p}: /x/secret",
        ),
        (
            "an_alias",
            format!(
                "type Routes = GuardedRouter<App>; fn base() -> Routes {{ Routes::new(){SECRET} }} fn f() {{ base(){PAGES}; }}"
            ),
            covered,
        ),
        (
            "the_fallback_of_a_path",
            format!(
                "fn f() {{ GuardedRouter::new(){SECRET}.route(\"/x/{{p}}\", post(known).fallback(page)); }}"
            ),
            "8: any /x/{p}: /x/secret",
        ),
    ] {
        assert_eq!(found(name, &source), [expected], "{name}");
    }
}

#[test]
fn routes_of_separate_routers_stay_apart() {
    for (name, source) in [
        (
            "branches",
            format!(
                "fn f(all: bool) {{ let router = GuardedRouter::new(); let router = if all {{ router{SECRET} }} else {{ router{PAGES} }}; serve(router); }}"
            ),
        ),
        (
            "arms",
            format!(
                "fn f(which: u8) -> GuardedRouter {{ let router = GuardedRouter::new(); match which {{ 0 => router{SECRET}, 1 => router{PAGES}, _ => router }} }}"
            ),
        ),
        (
            "an_early_result",
            format!(
                "fn f(all: bool) -> GuardedRouter {{ if all {{ return GuardedRouter::new(){SECRET}; }} GuardedRouter::new(){PAGES} }}\n\
                 fn g() {{ f(true).route(\"/y\", get(page)); }}"
            ),
        ),
        (
            "two_results",
            format!(
                "fn f() -> (GuardedRouter, GuardedRouter) {{ (GuardedRouter::new(){SECRET}, GuardedRouter::new(){PAGES}) }}"
            ),
        ),
        (
            "an_alias_of_a_plain_router",
            format!("type Plain = axum::Router<App>; fn f() {{ Plain::new(){SECRET}{PAGES}; }}"),
        ),
        (
            "a_plain_parameter",
            format!("fn f(router: axum::Router) -> axum::Router {{ router{SECRET}{PAGES} }}"),
        ),
        (
            "an_unknown_method",
            format!(
                "fn f() {{ GuardedRouter::new(){SECRET}.serve_beside(GuardedRouter::new(){PAGES}); }}"
            ),
        ),
        (
            "tests",
            format!(
                "impl App {{ #[cfg(test)] fn f() {{ GuardedRouter::new(){SECRET}{PAGES}; }} }}"
            ),
        ),
    ] {
        assert_eq!(found(name, &source), [""; 0], "{name}");
    }
}

#[test]
fn comment_allows_an_open_pattern() {
    let routes = |above: &str| {
        format!(
            "fn f() {{\nGuardedRouter::new()\n.route(\"/x/secret\", get(secret))\n{above}.route(\"/x/{{*p}}\", get(page));\n}}"
        )
    };
    assert_eq!(found("bare", &routes("")), ["11: GET /x/{*p}: /x/secret"]);
    let allowed = format!(
        "{HANDLERS}{}",
        routes("// unguarded: its files are others\n")
    );
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", allowed.as_str())];
    let folder = made("patterns/allowed", &files);
    let checked = run(&folder, &["check"]);
    assert_eq!(checked.status, 0, "{}", checked.text);
    let listed = run(&folder, &["list"]).text;
    let line = "src/lib.rs:12: GET /x/{*p} responds to spellings of a guarded path: its files are others\n";
    assert!(listed.contains(line), "{listed}");
}

/// The reason is above the route, in the file of the adopted router.
#[test]
fn comments_allow_adopted_open_patterns() {
    let source = format!(
        "{HANDLERS}fn old() -> axum::Router {{\naxum::Router::new()\n\
         // unguarded: its files are others\n.route(\n\"/x/{{*p}}\", axum::routing::get(bare))\n}}\n\
         fn f() {{ GuardedRouter::new().route(\"/x/secret\", get(secret)).adopt(old(), \"why\"); }}"
    );
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
    let folder = made("patterns/adopted_unknown", &files);
    let checked = run(&folder, &["check", "--allow-unguarded"]);
    assert_eq!(checked.status, 0, "{}", checked.text);
}

/// Returns a router with many routes, a hundred in each function, and an open pattern as the last one.
fn with_routes(number: usize) -> String {
    let mut source = HANDLERS.to_owned();
    let mut merged = String::new();
    for first in (0..number).step_by(100) {
        let routes = (first..number.min(first + 100))
            .map(|index| format!("\n.route(\"/x/{index}\", get(secret))"));
        let routes: String = routes.collect();
        source += &format!("fn m{first}() -> GuardedRouter {{ GuardedRouter::new(){routes} }}\n");
        merged += &format!("\n.merge(m{first}())");
    }
    source += "fn f() -> GuardedRouter { GuardedRouter::new()";
    source + &merged + "\n.route(\"/x/{*p}\", get(page)) }\n"
}

#[test]
fn thousands_of_routes_are_compared() {
    let source = with_routes(5000);
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
    let found = json(&made("many", &files), &["check", "--format=json"]);
    let found = found.as_array().expect("findings").iter();
    let found = found.filter(|it| it["code"] == "AUTH0106");
    assert_eq!(found.count(), 1);
}

/// A limit of reading makes the result incomplete, and is reported.
#[test]
fn routes_beyond_a_limit_are_reported() {
    let calls =
        (0..45).map(|index| format!("fn f{index}() -> GuardedRouter {{ f{}() }}\n", index + 1));
    let calls: String = calls.collect();
    let calls = format!(
        "{HANDLERS}{calls}fn f45() -> GuardedRouter {{ GuardedRouter::new().route(\"/x\", get(page)) }}\n"
    );
    let functions = "src/lib.rs:48: the routes of `it::f40` are not read, behind more than 40 functions within each other \
                     or 200000 calls\n";
    for (name, source, reason) in [
        (
            "routes",
            with_routes(20_000),
            "src/lib.rs:20409: the routes of this router are not compared, since it has more than 20000\n",
        ),
        ("functions", calls.clone(), functions),
    ] {
        let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
        let folder = made(&format!("limits/{name}"), &files);
        let checked = run(&folder, &["check"]);
        assert_eq!((checked.status, checked.text.as_str()), (2, ""), "{name}");
        assert_eq!(checked.errors, format!("error: {reason}"), "{name}");
    }
    let folder = made(
        "limits/listed",
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", &calls)],
    );
    let listed = run(&folder, &["routes"]);
    let line = format!("not read: {functions}");
    assert!(listed.text.contains(&line), "{}", listed.text);
}
