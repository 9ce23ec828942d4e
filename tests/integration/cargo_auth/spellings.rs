//! Policies that a text search misses: by their names, in a `cfg_attr`, in macros and in inner blocks.

use serde_json::Value;

use crate::cargo_auth::refused::{MANIFEST, made};
use crate::cargo_auth::{json, run};

/// Returns the folder of a crate with a module on each line.
fn modules<'c>(name: &str, cases: impl IntoIterator<Item = &'c str>) -> std::path::PathBuf {
    let cases = cases.into_iter().enumerate();
    let modules: Vec<_> = cases
        .map(|(number, case)| format!("mod case_{number} {{ {case} }}\n"))
        .collect();
    let source = modules.concat();
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", source.as_str())];
    made(&format!("spellings/{name}"), &files)
}

/// Returns the rows of a list that are on a line, counted from 1.
fn on_line(rows: &Value, line: usize) -> Vec<&Value> {
    let rows = rows.as_array().expect("rows").iter();
    rows.filter(|row| row["line"] == line).collect()
}

/// Asserts the number of findings with a code on each line, and that there are no others.
#[track_caller]
fn assert_found(name: &str, code: &str, cases: &[(&str, usize)]) {
    let folder = modules(name, cases.iter().map(|(case, _)| *case));
    let found = json(&folder, &["check", "--format=json"]);
    for (line, (case, number)) in std::iter::zip(1.., cases) {
        let on_line = on_line(&found, line);
        assert!(
            on_line.iter().all(|it| it["code"] == code),
            "{case}: {on_line:#?}"
        );
        assert_eq!(on_line.len(), *number, "{case}: {on_line:#?}");
    }
}

/// Either attribute can be renamed by an import, or be named by a path that is renamed.
#[test]
fn renamed_attributes_are_found() {
    assert_found(
        "renamed",
        "AUTH0104",
        &[
            (
                "use auth_runtime::requires as needs; #[needs(authenticated)] async fn f() {}",
                1,
            ),
            (
                "use auth_runtime::public as open; #[open(reason = \"x\")] async fn f() {}",
                1,
            ),
            ("use auth_runtime::{Guard, public, requires as needs};", 1),
            (
                "use auth_runtime as access; #[access::requires(authenticated)] async fn f() {}",
                1,
            ),
            ("use auth_macros::{public as open, requires as needs};", 2),
            (
                "mod m { pub use auth_runtime::requires; } use m::requires as needs;",
                1,
            ),
            (
                "mod m { pub use auth_runtime::requires; } #[m::requires(authenticated)] async fn f() {}",
                1,
            ),
            (
                "fn f() { use auth_runtime::requires as needs; #[needs(authenticated)] async fn g() {} }",
                1,
            ),
            (
                "extern crate auth_runtime as access; #[access::requires(authenticated)] async fn f() {}",
                1,
            ),
            (
                "use auth_runtime as access; #[cfg_attr(a, access::requires(authenticated))] async fn f() {}",
                1,
            ),
            (
                "use contracts::requires as needs; #[contracts::requires(x)] fn f() {}",
                0,
            ),
            ("use auth_runtime::{Guard, public, requires};", 0),
        ],
    );
}

/// A text search finds them as well. The crate of a glob import is not known.
#[test]
fn attributes_of_other_crates_are_ignored() {
    let policy = "#[requires(authenticated)] async fn f() {}";
    let cases = [
        (format!("use legacy::requires; {policy}"), 1),
        (format!("use legacy::attributes::requires; {policy}"), 1),
        (format!("use legacy::v1::{{public, requires}}; {policy}"), 1),
        (format!("mod p {{ pub use legacy::requires; }} use p::requires; {policy}"), 1),
        (format!("use legacy::requires; async fn requires() {{}} {policy}"), 1),
        (format!("use auth_runtime::*; use legacy::requires; {policy}"), 1),
        (
            format!("#[cfg(a)] use auth_runtime::requires; #[cfg(not(a))] use legacy::requires; {policy}"),
            1,
        ),
        (
            "use legacy as auth_runtime; #[auth_runtime::public(reason = \"x\")] async fn f() {}".to_owned(),
            1,
        ),
        (
            "use legacy::requires; #[requires(authenticated)] mod m { async fn f() {} async fn g() {} }"
                .to_owned(),
            1,
        ),
        (format!("fn g() {{ use legacy::requires; {policy} }}"), 1),
        (policy.to_owned(), 0),
        (format!("use legacy::*; {policy}"), 0),
        (format!("mod p {{ pub use auth_runtime::*; }} use p::requires; {policy}"), 0),
        (
            "use auth_runtime::public; #[public(reason = \"x\")] async fn public() {}".to_owned(),
            0,
        ),
        (
            "use legacy::requires; #[requires(authenticated, crate = legacy)] async fn f() {}".to_owned(),
            0,
        ),
    ];
    let found: Vec<_> = cases
        .iter()
        .map(|(case, number)| (case.as_str(), *number))
        .collect();
    assert_found("foreign", "AUTH0104", &found);
    let folder = modules("foreign", found.iter().map(|(case, _)| *case));
    let listed = json(&folder, &["list", "--format=json"]);
    for (line, (case, number)) in std::iter::zip(1.., found) {
        let policies = on_line(&listed["policies"], line).len();
        assert_eq!(policies, 1 - number, "{case}: {listed}");
    }
}

/// The crate of the attribute may be a member of the workspace.
#[test]
fn member_attributes_are_no_policies() {
    let manifest = MANIFEST.replace("[workspace]\n", "[workspace]\nmembers = [\"legacy\"]\n");
    let files = [
        ("Cargo.toml", manifest.as_str()),
        (
            "src/lib.rs",
            "use legacy::requires;\n#[requires(role = \"admin\")] async fn f() {}\n\
             pub fn g() -> axum::Router { axum::Router::new().route(\"/\", axum::routing::get(f)) }",
        ),
        (
            "legacy/Cargo.toml",
            "[package]\nname = \"legacy\"\n[lib]\nproc-macro = true\n",
        ),
        (
            "legacy/src/lib.rs",
            "#[proc_macro_attribute] pub fn requires(_: TokenStream, item: TokenStream) -> TokenStream { item }",
        ),
    ];
    let folder = made("spellings/members", &files);
    let found = run(&folder, &["check"]);
    let expected =
        "src/lib.rs:2:3: `requires` is an attribute of `legacy`, so it is no policy [AUTH0104]\n";
    assert!(found.text.starts_with(expected), "{}", found.text);
    let expected = "src/lib.rs:3:80: `f` is mounted on a plain router, and its policy was not found [AUTH0101]\n";
    assert!(found.text.contains(expected), "{}", found.text);
    let routes = json(&folder, &["routes", "--format=json"]);
    assert_eq!(
        routes["routes"][0]["checks"],
        serde_json::json!([]),
        "{routes}"
    );
}

/// A module with a policy writes its attributes anew; their spelling in the source counts.
#[test]
fn odd_spellings_within_module_are_found() {
    let mut cases = Vec::new();
    for (attribute, number) in [
        ("#[auth_runtime::requires(scope = \"b\")]", 0),
        ("#[ auth_runtime::requires(scope = \"b\")]", 1),
        ("#[auth_runtime::r#requires(scope = \"b\")]", 1),
        ("#[auth_runtime::requires (scope = \"b\")]", 1),
        ("#[auth_runtime::public (reason = \"a page\")]", 1),
        ("#[r#auth_runtime::requires(scope = \"b\")]", 1),
        ("#[auth_runtime/**/::requires(scope = \"b\")]", 1),
        ("#[auth_runtime ::requires(scope = \"b\")]", 1),
        ("#[auth_runtime:: requires(scope = \"b\")]", 1),
    ] {
        let handler = format!("{attribute} pub async fn h() {{}}");
        let inner = format!("#[auth_runtime::requires(acr = \"c\")] mod n {{ {handler} }}");
        for within in [handler.clone(), inner] {
            let module = format!("#[auth_runtime::requires(role = \"a\")] mod m {{ {within} }}");
            cases.push((module, number));
        }
        cases.push((handler, number));
    }
    let cases: Vec<_> = cases
        .iter()
        .map(|(case, number)| (case.as_str(), *number))
        .collect();
    assert_found("odd", "AUTH0104", &cases);
}

#[test]
fn nested_conditions_are_found() {
    let policy = "auth_runtime::public(reason = \"a page\")";
    let cases = [
        (format!("#[cfg_attr(a, {policy})] async fn h() {{}}"), "a"),
        (
            format!("#[cfg_attr(a, cfg_attr(b, {policy}))] async fn h() {{}}"),
            "all(a, b)",
        ),
        (
            format!("#[cfg_attr(a, inline, cfg_attr(b, cfg_attr(c, {policy})))] async fn h() {{}}"),
            "all(a, all(b, c))",
        ),
    ];
    let found: Vec<_> = cases.iter().map(|(case, _)| (case.as_str(), 1)).collect();
    assert_found("conditions", "AUTH0041", &found);
    let folder = modules("conditions", found.iter().map(|(case, _)| *case));
    let listed = json(&folder, &["list", "--format=json"]);
    for (line, (case, condition)) in std::iter::zip(1.., &cases) {
        let [row] = on_line(&listed["policies"], line)[..] else {
            panic!("{case}: {listed}");
        };
        assert_eq!(row["cfg"], *condition, "{case}");
    }
}

/// A list would otherwise look complete.
#[test]
fn macros_with_policies_are_named() {
    let policy = "#[auth_runtime::requires(authenticated)] async fn h() {}";
    let branches = |number: usize| {
        let others = "if #[cfg(a)] {} else ".repeat(number);
        format!("cfg_if! {{ {others} {{ {policy} }} }}")
    };
    let cases = [
        (format!("macro_rules! m {{ () => {{ {policy} }} }}"), 1),
        (format!("handlers! {{ {policy} }}"), 1),
        (format!("fn f() {{ handlers! {{ {policy} }} }}"), 1),
        (format!("fn f() {{ let a = handlers!({policy}); }}"), 1),
        (
            format!("fn f() {{ macro_rules! m {{ () => {{ {policy} }} }} }}"),
            1,
        ),
        (
            format!("impl A {{ fn f() {{ handlers! {{ {policy} }} }} }}"),
            1,
        ),
        (
            "handlers! { #[public(reason = \"a page\")] async fn h() {} }".to_owned(),
            1,
        ),
        ("macro_rules! m { () => { #[$crate::m::public(reason = \"a page\")] fn h() {} } }".to_owned(), 1),
        ("macro_rules! m { ($r:ident) => { #[$r::requires(authenticated)] fn h() {} } }".to_owned(), 1),
        ("macro_rules! m { () => { #[cfg_attr(a, cfg_attr(b, inline, $crate::public(reason = \"x\")))] fn h() {} } }".to_owned(), 1),
        ("macro_rules! m { ($(#[$meta:meta])*) => { $(#[$meta])* fn h() {} } }".to_owned(), 0),
        ("macro_rules! m { () => { #[cfg_attr(public, inline)] #[doc = \"public\"] fn h() {} } }".to_owned(), 0),
        (format!("fn f() {{ outer!(inner! {{ {policy} }}); }}"), 1),
        ("handlers! { #[inline] async fn h() {} }".to_owned(), 0),
        (branches(127), 0),
        // The compiler refuses so many, unless a crate raises its limit.
        (branches(128), 1),
    ];
    let folder = modules("macros", cases.iter().map(|(case, _)| case.as_str()));
    let listed = json(&folder, &["list", "--format=json"]);
    let text = run(&folder, &["list"]).text;
    for (line, (case, number)) in std::iter::zip(1.., &cases) {
        assert_eq!(on_line(&listed["macros"], line).len(), *number, "{case}");
        let said =
            format!("src/lib.rs:{line}: a macro that generates policies, which are not listed\n");
        assert_eq!(text.matches(&said).count(), *number, "{case}: {text}");
    }
}

/// The guide says so of each attribute that its search misses.
#[test]
fn hidden_policies_in_macros_are_found() {
    let public = "auth_runtime::public(reason = \"x\")";
    let rules = |body: &str| format!("macro_rules! m {{ () => {{ {body} async fn f() {{}} }} }}");
    let own = "use auth_runtime::public;";
    let mut cases = vec![
        (format!("endpoint!({public}, fn f() {{}});"), 1),
        (format!("fn g() {{ endpoint!({public}, 1); }}"), 1),
        (
            format!("{own} handler!(public(reason = \"x\") async fn f() {{}});"),
            1,
        ),
        (
            "handler!(auth_runtime::requires, async fn f() {});".to_owned(),
            1,
        ),
        (rules("# [ auth_runtime :: public (reason = \"x\")]"), 1),
        (rules("#[auth_runtime::r#public(reason = \"x\")]"), 1),
        (rules("#[$runtime::public (reason = \"x\")]"), 1),
        (
            rules("use auth_runtime::public as internal; #[internal(reason = \"x\")]"),
            1,
        ),
        (rules(&format!("#[{public}]")), 0),
        (rules("#[$crate::public(reason = \"x\")]"), 0),
        (rules("use auth_runtime::{public, requires};"), 0),
        (
            format!("{own} fn g() {{ json!({{ public: it.public }}); }}"),
            0,
        ),
        (
            format!(
                "{own} macro_rules! m {{ (public($($reason:tt)*)) => {{ #[public($($reason)*)] fn f() {{}} }} }}"
            ),
            0,
        ),
        (
            "contract!(contracts::requires(a), fn f() {});".to_owned(),
            0,
        ),
        (
            format!("{own} mod public {{}} fn g() {{ vec![get(self::public::index)]; }}"),
            0,
        ),
        (
            format!("{own} mod public {{}} fn g() {{ info!(\"{{}}\", self::public::NAME); }}"),
            0,
        ),
        (
            format!(
                "mod api {{ {own} #[public(reason = \"x\")] pub async fn public() {{}} }} \
                 fn g() {{ vec![get(api::public)]; }}"
            ),
            0,
        ),
        (
            "use auth_runtime::*; endpoint!(public(reason = \"x\"), fn f() {});".to_owned(),
            1,
        ),
        (
            "use contracts::requires; contract! { # [requires(a)] fn f() {} }".to_owned(),
            0,
        ),
    ];
    let found = |cases: &[(String, usize)], name, code| {
        let cases: Vec<_> = cases
            .iter()
            .map(|(case, number)| (case.as_str(), *number))
            .collect();
        assert_found(name, code, &cases);
    };
    found(&cases, "hidden_in_macros", "AUTH0104");
    cases = vec![
        (rules(&format!("#[cfg_attr(all(), {public})]")), 1),
        (
            rules("#[cfg_attr(a, cfg_attr(b, inline, $crate::public(reason = \"x\")))]"),
            1,
        ),
        (rules("#[cfg_attr(a, contracts::requires(b))]"), 0),
        (rules("#[cfg_attr(public, inline)]"), 0),
    ];
    found(&cases, "conditions_in_macros", "AUTH0041");
}

#[test]
fn policies_in_every_block_are_listed() {
    let policy = "#[auth_runtime::requires(authenticated)] async fn h() {}";
    let cases = [
        "fn f() { % }",
        "fn f() { if a { loop { % } } }",
        "fn f() { let g = |a| { % a }; }",
        "fn f() { g(a, async { % }); }",
        "fn f() { match a { _ => { % } } }",
        "fn f() { fn g() { % } }",
        "fn f() { mod m { % } }",
        "impl A { fn f(&self) { % } }",
        "impl T for A { fn f(&self) { % } }",
        "trait T { fn f(&self) { % } }",
        "const A: () = { % };",
        "impl A { const B: () = { % }; }",
        "static A: fn() = || { % };",
        "fn f() { vec![{ % 1 }] }",
    ]
    .map(|case| case.replace('%', policy));
    let folder = modules("blocks", cases.iter().map(String::as_str));
    let listed = json(&folder, &["list", "--format=json"]);
    for (line, case) in std::iter::zip(1.., &cases) {
        let [row] = on_line(&listed["policies"], line)[..] else {
            panic!("{case}: {listed}");
        };
        assert_eq!(row["policy"], "requires(authenticated)", "{case}");
    }
}
