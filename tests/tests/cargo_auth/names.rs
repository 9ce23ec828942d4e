//! Which function a route leads to, and what makes a route of it, by the names that are in scope.

use crate::json;
use crate::refused::made;

const MANIFEST: &str = r#"
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

const OTHER: &str = r#"
[package]
name = "other"
edition = "2024"

[dependencies]
auth-runtime = "0.1"
axum = "0.8"
"#;

/// What every case has around it.
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

/// How many routes without a policy are found in a file.
fn found(name: &str, source: &str) -> usize {
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

#[test]
fn routes_lead_to_what_is_in_scope() {
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
            "fn f(client: Client) { client.get(bare); client.get(url).post(body); }",
            0,
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
