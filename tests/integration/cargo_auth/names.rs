//! The resolution of handlers and routing functions by the names in scope.

use crate::cargo_auth::json;
use crate::cargo_auth::refused::made;

pub(super) const MANIFEST: &str = r#"
[workspace]
members = ["other"]

[package]
name = "it"
edition = "2024"

[dependencies]
auth-runtime = "0.1"
axum = "0.8"
other.path = "other"
"#;

pub(super) const OTHER: &str = r#"
[package]
name = "other"
edition = "2024"

[dependencies]
auth-runtime = "0.1"
axum = "0.8"
"#;

/// The code around every case.
const AROUND: &str = r#"
use auth_runtime::public;

#[public(reason = "it is a test")]
async fn guarded() {}
async fn bare() {}

mod inner {
    #[auth_runtime::public(reason = "it is a test")]
    pub async fn guarded() {}
    pub async fn bare() {}
    pub mod prelude {
        pub use super::bare as pages;
        pub use super::guarded as front;
        pub use super::super::guarded as home;
        pub use axum::routing::{get, post};
    }
}

#[cfg(a)]
#[public(reason = "of the two")]
async fn one_of_two() {}
#[cfg(not(a))]
async fn one_of_two() {}
"#;

const ELSEWHERE: &str = r#"
pub use axum;
pub use axum::routing::get as fetch;
#[auth_runtime::requires(authenticated)]
pub async fn guarded() {}
pub async fn bare() {}
"#;

/// Returns the number of unguarded routes that are found in a file.
pub(super) fn found(name: &str, source: &str) -> usize {
    let source = format!("{AROUND}\n{source}");
    let files = [
        ("Cargo.toml", MANIFEST),
        ("other/Cargo.toml", OTHER),
        ("other/src/lib.rs", ELSEWHERE),
        ("src/lib.rs", &source),
    ];
    let folder = made(&format!("names/{name}"), &files);
    let found = json(&folder, &["check", "--format=json"]);
    let found = found.as_array().expect("findings").clone();
    let of_routes = |finding: &&serde_json::Value| finding["code"] == "AUTH0101";
    assert_eq!(
        found.iter().filter(of_routes).count(),
        found.len(),
        "{name}: {found:#?}"
    );
    found.len()
}

/// If the type of the router is not visible, an `async fn` is a sufficient sign of a route.
#[test]
fn async_functions_are_handlers_anywhere() {
    for (name, source, number) in [
        (
            "a_variable_of_routes",
            "fn f() { let m = axum::routing::get(guarded); m.post(bare).put(async || 1).delete(|| async {}).patch(guarded); }",
            3,
        ),
        (
            "a_fallback",
            "fn f(r: Router) { axum::Router::new().fallback(bare); r.fallback(bare); r.fallback(guarded); }",
            2,
        ),
        (
            "a_service_for_the_rest",
            "fn f(r: Router) { g.protect(s)?.into_router(\"why\").fallback_service(x); axum::Router::fallback_service(r, x); g.fallback_service(Files, x); }",
            2,
        ),
        (
            "with_a_filter",
            "fn f(r: MethodRouter) { r.on(MethodFilter::GET.or(MethodFilter::PUT), bare); r.on(axum::routing::MethodFilter::GET, guarded); }",
            1,
        ),
        (
            "but_no_streams_and_sockets",
            "fn f() { stream::iter(x).any(|x| async move { x }); s.any(bare); socket.on(\"message\", async |it| it); client.get(URL); map.get(|it| it); }",
            0,
        ),
        (
            "by_function",
            "fn f(r: Router) { axum::Router::fallback(r, bare); axum::Router::fallback(r, guarded); }",
            1,
        ),
        (
            "served_alone",
            "fn f() { serve(bare.into_make_service()); serve(app.into_make_service()); }",
            1,
        ),
        (
            "of_axum_extra",
            "fn f(r: Router) { r.typed_get(bare); r.typed_get(guarded); }",
            1,
        ),
        (
            "handed_on",
            "use axum::routing::get; fn f() { let g = get; Some(x).map(get); let get = 1; }",
            0,
        ),
        (
            "handed_on_by_name",
            "use axum::routing::get; fn f() { let g = get; Some(x).map(axum::routing::post); }",
            2,
        ),
        (
            "from_another_crate",
            "fn f() { let docs = swagger::Ui::new(); let app = g.protect(s)?.into_router(\"why\"); app.merge(swagger::ui()).nest(\"/a\", swagger::ui().x()).merge(docs); }",
            3,
        ),
        (
            "from_this_crate_or_into_a_guarded_one",
            "fn own() {} fn f() { g.protect(s)?.into_router(\"why\").merge(own()).merge(crate::own()); g.protect(s)?.merge(swagger::ui()); g.merge(swagger::ui()); GuardedRouter::new().merge(swagger::ui()); Figment::new().merge(figment::env()); axum::Router::new().merge(axum::Router::new()).merge(T::f()); }",
            0,
        ),
    ] {
        assert_eq!(found(name, source), number, "{name}: {source}");
    }
}

#[test]
fn test_code_is_left_out() {
    for (name, source) in [
        ("of_a_file", "mod tests;"),
        (
            "of_a_method",
            "struct A; impl A { #[cfg(test)] fn f() { axum::routing::get(bare); } }",
        ),
        (
            "of_a_statement",
            "fn f() { #[cfg(test)] let a = axum::routing::get(bare); }",
        ),
    ] {
        let files = [
            ("Cargo.toml", MANIFEST),
            ("other/Cargo.toml", OTHER),
            ("other/src/lib.rs", ELSEWHERE),
            (
                "src/tests.rs",
                "#![cfg(test)]\nfn f() { axum::routing::get(super::bare); }",
            ),
            ("src/lib.rs", &format!("{AROUND}\n{source}")),
        ];
        let folder = made(&format!("names/{name}"), &files);
        let found = json(&folder, &["check", "--format=json"]);
        assert_eq!(
            found.as_array().map(Vec::len),
            Some(0),
            "{name}: {found:#?}"
        );
    }
}

/// The argument of `merge_unguarded` is reported with its reason. A function with a similar name is not.
#[test]
fn merge_reason_covers_its_router_only() {
    for (name, source, lines) in [
        (
            "a_method_of_that_name",
            "fn docs() { get(bare); }\nstruct A; impl A { fn docs() { get(bare); } }\nfn f() { g.merge_unguarded(\"why\", &[], docs()); }",
            &[2, 3][..],
        ),
        (
            "a_method",
            "fn docs() { get(bare); }\nstruct A; impl A { fn docs() { get(bare); } }\nfn f() { g.merge_unguarded(\"why\", &[], A::docs()); }",
            &[1, 3],
        ),
        (
            "a_later_variable_of_that_name",
            "fn f() {\nlet app = get(bare);\nlet app = g.merge_unguarded(\"why\", &[], app);\nlet app = app.protect(s)?.route(\"/\", get(bare));\n}",
            &[3, 4],
        ),
        (
            "another_variable",
            "fn f() {\nlet app = get(bare);\nlet other = get(bare);\nlet app = g.merge_unguarded(\"why\", &[], app);\n}",
            &[3, 4],
        ),
        (
            "an_earlier_variable_of_that_name",
            "fn f() {\nlet app = get(bare);\nlet app = app.x(get(bare));\nlet app = g.merge_unguarded(\"why\", &[], app);\n}",
            &[4],
        ),
        (
            "a_clone",
            "use axum::Router; fn f() {\nlet app = Router::new().route(\"/\", get(bare));\nlet other = Router::new().merge(app.clone());\nlet app = g.merge_unguarded(\"why\", &[], app);\n}",
            &[2, 4],
        ),
    ] {
        let source = format!("{source}\nuse axum::routing::get; async fn bare() {{}}");
        let manifest = MANIFEST
            .replace("members = [\"other\"]", "")
            .replace("other.path", "#");
        let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", &source)];
        let folder = made(&format!("names/{name}"), &files);
        let found = json(&folder, &["check", "--format=json"]);
        let found = found.as_array().expect("findings").iter();
        let found = found.map(|row| row["line"].as_u64().expect("a line"));
        let found: Vec<_> = found.collect();
        assert_eq!(found, lines, "{name}: {source}");
    }
}

#[test]
fn handlers_are_resolved_by_scope() {
    for (name, source, number) in [
        (
            "plain",
            "use axum::routing::get; fn f() { get(bare); get(guarded); }",
            1,
        ),
        (
            "by_path",
            "fn f() { axum::routing::get(self::bare); axum::routing::get(crate::guarded); }",
            1,
        ),
        (
            "in_a_module",
            "mod m { use super::*; use axum::routing::get; fn f() { get(bare); get(guarded); } }",
            1,
        ),
        (
            "above",
            "mod m { use axum::routing::get; fn f() { get(super::bare); get(super::guarded); } }",
            1,
        ),
        (
            "twice_above",
            "mod m { mod n { fn f() { axum::routing::get(super::super::bare); axum::routing::get(super::super::guarded); } } }",
            1,
        ),
        (
            "beside",
            "mod m { fn f() { axum::routing::get(super::inner::bare); axum::routing::get(super::inner::guarded); } }",
            1,
        ),
        (
            "glob",
            "use axum::routing::*; fn f() { get(bare); get(guarded); }",
            1,
        ),
        (
            "glob_of_axum",
            "use axum::*; fn f() { routing::get(bare); routing::get(guarded); }",
            1,
        ),
        (
            "globs_behind_each_other",
            "mod web { pub use axum::*; } use web::routing::*; fn f() { get(bare); get(guarded); }",
            1,
        ),
        (
            "globs_with_types",
            "use axum::*; use axum::routing::*; fn plain() {} fn f(r: Router, m: MethodRouter) { r.fallback(plain); m.post(plain); Router::new().fallback(plain); }",
            3,
        ),
        (
            "by_the_inner_module",
            "use axum::routing::method_routing::{self, get}; fn f() { get(bare); method_routing::post(bare); axum::routing::method_routing::MethodRouter::new().put(bare); get(guarded); }",
            3,
        ),
        (
            "by_a_glob_of_the_inner_module",
            "use axum::routing::method_routing::*; fn f() { get(bare); get(guarded); }",
            1,
        ),
        (
            "prelude",
            "use inner::prelude::*; fn f() { get(pages); post(front); get(home); }",
            1,
        ),
        (
            "another_crate",
            "use other::fetch; fn f() { fetch(other::bare); fetch(other::guarded); }",
            1,
        ),
        (
            "through_another_crate",
            "use other::axum::routing; fn f() { routing::get(bare); routing::get(guarded); }",
            1,
        ),
        (
            "in_a_block",
            "fn f() { use axum::routing::get; get(bare); get(guarded); }",
            1,
        ),
        (
            "a_function_in_a_function",
            "fn f() { async fn guarded() {} axum::routing::get(guarded); axum::routing::get(self::guarded); }",
            1,
        ),
        (
            "a_guarded_one_in_a_function",
            "fn f() { #[public(reason = \"inner\")] async fn bare() {} axum::routing::get(bare); }",
            0,
        ),
        (
            "in_a_closure",
            "fn f() { let g = || axum::routing::get(bare); }",
            1,
        ),
        (
            "in_a_constant",
            "const A: fn() = || { axum::routing::get(bare); };",
            1,
        ),
        (
            "in_a_trait",
            "trait T { fn f() { axum::routing::get(bare); } }",
            1,
        ),
        (
            "a_variable",
            "fn f() { let guarded = bare; axum::routing::get(guarded); }",
            1,
        ),
        (
            "a_parameter",
            "fn f<H>(guarded: H) { axum::routing::get(guarded); }",
            1,
        ),
        (
            "one_of_two",
            "fn f() { axum::routing::get(one_of_two); }",
            1,
        ),
        (
            "a_function_of_a_type",
            "struct A; impl A { async fn guarded() {} } trait T { async fn guarded() {} } fn f() { axum::routing::get(<A>::guarded); axum::routing::get(<self::A>::guarded); axum::routing::get(<[A]>::guarded); axum::routing::get(<A as T>::guarded); axum::routing::get(guarded); }",
            4,
        ),
        (
            "of_the_runtime",
            "use auth_runtime::routing::get; fn f() { get(guarded).post(bare); }",
            0,
        ),
        (
            "of_ones_own",
            "fn get<T>(handler: T) {} fn f() { get(bare); }",
            0,
        ),
        (
            "a_client",
            "fn f(client: Client) { let url = 1; client.get(url).post(body).get(|it| it); }",
            0,
        ),
        (
            "of_two_globs",
            "mod prelude { pub use std::fmt::*; } use prelude::*; use axum::routing::*; fn f() { get(bare); get(guarded); }",
            1,
        ),
        (
            "beside_a_module_of_that_name",
            "mod get { pub async fn user() {} } use axum::routing::get; fn f() { get(bare); get(guarded); }",
            1,
        ),
        (
            "of_either_of_two_imports",
            "#[cfg(a)] use axum::routing::get; #[cfg(not(a))] use auth_runtime::routing::get; fn f() { get(bare); get(guarded); }",
            1,
        ),
        (
            "of_an_import_or_a_function",
            "#[cfg(a)] use axum::routing::get; #[cfg(not(a))] fn get<T>(handler: T) {} fn f() { get(bare); get(guarded); }",
            1,
        ),
        (
            "of_either_of_two_modules",
            "#[cfg(a)] mod m { pub use auth_runtime::routing::get; } #[cfg(not(a))] mod m { pub use axum::routing::get; } fn f() { m::get(bare); }",
            1,
        ),
        (
            "either_of_two_handlers",
            "#[cfg(a)] use inner::bare as h; #[cfg(not(a))] use inner::guarded as h; fn f() { axum::routing::get(h); }",
            1,
        ),
        (
            "of_a_crate_by_another_name",
            "extern crate axum as web; fn f() { web::routing::get(bare); }",
            1,
        ),
        (
            "through_a_crate_from_elsewhere",
            "use shuttle_axum::axum::routing::get; fn f() { get(bare); }",
            1,
        ),
        (
            "by_raw_names",
            "use axum::r#routing::r#get as r#fetch; fn f() { r#fetch(r#bare); axum::routing::r#get(bare); fetch(r#guarded); }",
            2,
        ),
        (
            "of_a_name_that_goes_in_a_circle",
            "use a as b; use b as a; fn f() { a(bare); b::new(bare); axum::routing::get(bare); }",
            1,
        ),
        (
            "globs_in_a_circle",
            "mod a { pub use super::b::*; pub use super::c::*; } mod b { pub use super::a::*; pub use super::c::*; } mod c { pub use super::b::*; pub use axum::routing::*; } fn f() { use a::*; get(bare); nothing(bare); }",
            1,
        ),
        (
            "named_like_an_attribute",
            "mod m { mod h { #[auth_runtime::public(reason = \"x\")] pub async fn public() {} } use auth_runtime::*; use h::*; fn f() { axum::routing::get(public); } }",
            0,
        ),
        (
            "named_like_an_imported_attribute",
            "mod m { mod h { #[auth_runtime::requires(authenticated)] pub async fn requires() {} pub async fn public() {} } use auth_runtime::{public, requires}; use h::*; fn f() { axum::routing::get(requires); axum::routing::get(public); } }",
            1,
        ),
        (
            "without_a_handler",
            "fn f() { axum::routing::get(); axum::routing::on(GET); }",
            0,
        ),
        (
            "a_circle",
            "use b::c; mod b { pub use super::c; } fn f() { axum::routing::get(c); }",
            1,
        ),
    ] {
        assert_eq!(found(name, source), number, "{name}: {source}");
    }
}

#[test]
fn guards_of_other_handlers_are_found() {
    let source = "
#[auth_runtime::requires(authenticated)]
pub async fn list<T>(guard: auth_runtime::Guard, state: State<T>) {}
#[auth_runtime::requires(authenticated)]
pub struct Files;
async fn borrowed(_: auth_runtime::Guard<policy_of_list>) {}
async fn deeper(_: Guard<self::policy_of_list>, text: String) {}
async fn of_a_struct(_: Guard<Files>) {}
";
    let files = [
        ("Cargo.toml", crate::cargo_auth::refused::MANIFEST),
        ("src/lib.rs", source),
    ];
    let folder = made("names/borrowed_guards", &files);
    let found = json(&folder, &["check", "--format=json"]);
    let found = found.as_array().expect("findings");
    let places: Vec<_> = found
        .iter()
        .map(|finding| (finding["code"].as_str(), finding["line"].as_u64()))
        .collect();
    assert_eq!(
        places,
        [(Some("AUTH0013"), Some(6)), (Some("AUTH0013"), Some(7))],
        "{found:#?}"
    );
}
