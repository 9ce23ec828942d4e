//! Routes in the arguments of macros, and in the macros of a crate.

use crate::cargo_auth::names::found;

#[test]
fn routes_in_macros_are_found() {
    for (name, source, number) in [
        (
            "in_a_macro_like_a_statement",
            "use axum::routing::get; fn f() { select! { x = serve(get(bare)) => { get(guarded) } _ = y => {} } }",
            1,
        ),
        (
            "in_a_macro_like_an_item",
            "use axum::routing::get; items! { if #[a] { fn f() { Router::new().route(\"/\", get(bare)); } fn get(it: u8) {} } }",
            1,
        ),
        (
            "in_items_with_conditions",
            "cfg_if! { if #[cfg(a)] { use axum::routing::get; mod m { pub use axum::routing::post; } } else if #[cfg(b)] { use axum::routing::get; } else { cfg_if! { if #[cfg(c)] { fn g() { get(guarded); m::post(bare); } } } } } fn f() { get(bare); }",
            2,
        ),
        (
            "but_not_in_those_for_tests",
            "cfg_if! { if #[cfg(test)] { fn f() { axum::routing::get(bare); } } else { fn g() { #[cfg(test)] axum::routing::get(bare); } } }",
            0,
        ),
        (
            "with_an_import_in_a_macro",
            "fn f() { select! { x = y() => { use axum::routing::get; get(bare); get(guarded); } } } lazy! { static ref A: Router = { use axum::routing::get; get(bare) }; } fn g() { block! { use axum::routing::get; get(bare); } }",
            3,
        ),
        (
            "with_an_import_in_a_module_of_a_macro",
            "macro_rules! m { ($n:ident, $h:path) => { pub mod $n { use axum::{routing::get, Router}; pub fn router() -> Router { Router::new().route(\"/\", get($h)) } } } }",
            1,
        ),
        (
            "in_routes_of_utoipa",
            "use utoipa_axum::routes; fn f() { r.routes(routes!(bare, guarded)).routes(utoipa_axum::routes![inner::bare]); }",
            2,
        ),
        (
            "in_routes_of_another_framework",
            "fn f() { rocket::build().mount(\"/\", rocket::routes![bare]); { use rocket::routes; routes![bare]; } }",
            0,
        ),
        (
            "in_a_macro_of_ones_own",
            "use axum::routing::get; macro_rules! r { ($h:expr) => { Router::new().route(\"/\", get($h)) } }",
            1,
        ),
        (
            "in_a_macro_with_a_method",
            "use axum::routing; macro_rules! r { ($m:ident, $h:path) => { Router::new().route(\"/\", routing::$m($h)).route(\"/a\", axum::routing::$m($h)) } }",
            2,
        ),
        (
            "in_a_macro_with_a_function",
            "macro_rules! r { ($f:ident, $h:path) => { auth_runtime::routing::$f($h); $crate::$f($h); Kind::$f($h) } }",
            0,
        ),
        (
            "in_a_macro_for_guarded_ones",
            "use auth_runtime::routing::get; macro_rules! r { ($h:expr) => { GuardedRouter::new().route(\"/\", get($h)) } }",
            0,
        ),
    ] {
        assert_eq!(found(name, source), number, "{name}: {source}");
    }
}
