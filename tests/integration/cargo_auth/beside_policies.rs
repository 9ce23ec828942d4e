//! Mistakes beside valid policies: streams without an end, unused names, and guards of other handlers.

use crate::cargo_auth::json;
use crate::cargo_auth::refused::{MANIFEST, made};

/// Returns the findings with that code: their lines and the facts in their messages.
fn found(name: &str, files: &[(&str, &str)], code: &str) -> Vec<(u64, String)> {
    let files = [&[("Cargo.toml", MANIFEST)], files].concat();
    let folder = made(&format!("beside/{name}"), &files);
    let found = json(&folder, &["check", "--format=json"]);
    let found = found.as_array().expect("findings").iter();
    let all: Vec<_> = found.collect();
    assert!(all.iter().all(|it| it["code"] == code), "{all:#?}");
    let fact = |message: &str| message.lines().next().unwrap_or_default().to_owned();
    all.into_iter()
        .map(|it| {
            let message = it["message"].as_str().expect("a text");
            (it["line"].as_u64().expect("a line"), fact(message))
        })
        .collect()
}

/// Each type of a stream, under a policy of the handler or of its module. A public handler has no caller
/// whose credentials expire.
#[test]
fn streams_without_an_end_are_found() {
    let source = r#"use auth_runtime::{Guard, public, requires};
#[requires(authenticated)] async fn socket(upgrade: WebSocketUpgrade) -> Response { upgrade.on_upgrade(serve) }
#[requires(authenticated)] async fn events() -> axum::response::Sse<impl Stream> { Sse::new(messages()) }
#[requires(authenticated)] async fn either(_: Option<axum::extract::ws::WebSocketUpgrade>) {}
#[requires(authenticated)] async fn ending(guard: Guard, it: WebSocketUpgrade) { it.until(guard.expires()) }
#[public(reason = "news")] async fn news() -> Sse<impl Stream> { Sse::new(messages()) }
async fn no_handler() -> Sse<impl Stream> { Sse::new(messages()) }
#[requires(role = "a")] mod inside {
pub async fn socket(upgrade: WebSocketUpgrade) {}
#[auth_runtime::requires(scope = "b")] pub async fn events() -> Sse<Stream> {}
pub async fn ending(guard: auth_runtime::Guard) -> Sse<Stream> { messages().until(guard.expires()) }
}
#[requires(authenticated)] async fn cookies() -> Sse<Stream> { Sse::new(cookie.expires_in(day)) }
"#;
    let found = found("streams", &[("src/lib.rs", source)], "AUTH0108");
    let socket =
        "the stream of `WebSocketUpgrade` goes on when the credentials of the caller expire";
    let events = "the stream of `Sse` goes on when the credentials of the caller expire";
    let expected = [
        (2, socket),
        (3, events),
        (4, socket),
        (9, socket),
        (10, events),
        (13, events),
    ];
    assert_eq!(found, expected.map(|(line, fact)| (line, fact.to_owned())));
}

/// A name is used in every place of a policy; of each section, one name is in none.
#[test]
fn unused_names_are_found_per_section() {
    let names = ["idle", "single", "listed", "excepted", "inherited", "named"];
    let mut vocabulary = String::new();
    let sections = ["scopes", "roles", "permissions", "settings"];
    for section in sections {
        vocabulary.push_str(&format!("[{section}]\n"));
        for name in names {
            vocabulary.push_str(&format!("{name} = \"A name\"\n"));
        }
    }
    vocabulary.push_str("[networks]\n");
    for (number, name) in names.into_iter().enumerate() {
        vocabulary.push_str(&format!("{name} = \"10.{number}.0.0/16\"\n"));
    }
    let every = |name: &str| {
        let keys = ["scope", "role", "permission", "setting", "network"];
        let named = keys.map(|key| format!("{key} = \"{name}\""));
        named.join(", ")
    };
    vocabulary.push_str(&format!(
        "[policies.idle]\nrequires = 'acr = \"gold\"'\n[policies.used]\nrequires = 'any({})'\n",
        every("named")
    ));
    let source = format!(
        "use auth_runtime::requires;\n\
         #[requires({})] async fn single() {{}}\n\
         #[requires(any({}), hide_as = 404, hide_unless = any({}))] async fn hidden() {{}}\n\
         #[requires(any(acr = \"x\", all(amr = \"y\", any({}))))] mod m {{ pub async fn h() {{}} }}\n\
         #[requires(policy = \"used\")] struct Service;\n",
        every("single"),
        every("listed"),
        every("excepted"),
        every("inherited"),
    );
    let files = [("auth.toml", vocabulary.as_str()), ("src/lib.rs", &source)];
    let found = found("unused", &files, "AUTH0103");
    let facts: Vec<_> = found.into_iter().map(|(_, fact)| fact).collect();
    let expected = [
        "scope",
        "role",
        "permission",
        "setting",
        "network",
        "policy",
    ];
    let expected =
        expected.map(|kind| format!("the {kind} `idle` is declared, and no policy requires it"));
    assert_eq!(facts, expected);
}

/// Macros are not expanded, and handlers ask for grants as well.
#[test]
fn names_in_code_are_used() {
    let uses = [
        ("scope", "read!(orders, \"x\");"),
        ("role", "read! { orders \"x\" }"),
        (
            "setting",
            "macro_rules! read { () => { #[requires(setting = \"x\")] async fn h() {} } }",
        ),
        ("network", "fn f() { handlers![{ network: (\"x\") }]; }"),
        ("policy", "fn f() { let a = handlers!(fn g() -> \"x\"); }"),
        ("scope", "fn f() { caller.has_scope(\"x\"); }"),
        (
            "scope",
            "fn f() { if a && guard.identity()?.meets_scope(\"x\", &vocabulary()) {} }",
        ),
        (
            "role",
            "impl A { fn f(&self) -> bool { self.caller.has_role(r#\"x\"#) } }",
        ),
        (
            "role",
            "fn f() { Identity::meets_role(&caller, \"x\", all); }",
        ),
        (
            "permission",
            "fn f() { callers.retain(|it| it.has_permission(if a { \"x\" } else { B })); }",
        ),
        (
            "permission",
            "fn f() { fn g() { caller.meets_permission(\"x\", all) } }",
        ),
    ];
    let others = [
        (
            "scope",
            "fn f() { has(\"x\"); caller.has_only_grants(\"x\"); caller.has_field(\"x\"); }",
        ),
        (
            "role",
            "fn f() { caller.has_role(\"xx\"); read!(\"x y\", b\"x\", 'x', x); }",
        ),
        (
            "network",
            "const X: &str = \"x\"; fn f() { let x = \"x\"; }",
        ),
        (
            "permission",
            "#[cfg(test)] mod tests { fn f() { caller.has_permission(\"x\"); } }",
        ),
    ];
    let entry = |kind: &str| match kind {
        "network" => "[networks]\nx = \"10.0.0.0/8\"\n".to_owned(),
        "policy" => "[policies.x]\nrequires = 'acr = \"gold\"'\n".to_owned(),
        kind => format!("[{kind}s]\nx = \"A name\"\n"),
    };
    for (number, (kind, source)) in uses.into_iter().chain(others).enumerate() {
        let vocabulary = entry(kind);
        let files = [("auth.toml", vocabulary.as_str()), ("src/lib.rs", source)];
        let found = found(&format!("names/{number}"), &files, "AUTH0103");
        assert_eq!(found.len(), usize::from(number >= uses.len()), "{source}");
    }
    // The names that imply it are granted together with it.
    let vocabulary = "[roles]\nowner = { description = \"O\", implies = [\"x\"] }\nx = { description = \"X\", implies = [\"y\"] }\ny = \"Y\"\nz = \"Z\"\n";
    let files = [("auth.toml", vocabulary), ("src/lib.rs", uses[7].1)];
    let found = found("names/implied", &files, "AUTH0103");
    let fact = "the role `z` is declared, and no policy requires it";
    assert_eq!(found, [(5, fact.to_owned())]);
}

/// A function without a policy that has the guard of a handler behind other parameters.
#[test]
fn foreign_guards_are_found_everywhere() {
    let source = "\
#[auth_runtime::requires(authenticated)] async fn list<T>(guard: auth_runtime::Guard, state: State<T>) {}
async fn second(text: String, _: Guard<policy_of_list>) {}
async fn third(text: String, _: Guard<Files>, _: auth_runtime::Guard<policy_of_list>) {}
fn f() { async fn inner(_: Guard<policy_of_list>) {} }
mod m { pub async fn inner(_: Guard<super::policy_of_list>) {} }
async fn shared(guard: &Guard<policy_of_list>) {}
fn g() { axum::Router::new(); auth_runtime::routing::get(|_: Guard<policy_of_list>| async {}); }
impl A { async fn of_a_type(_: Guard<policy_of_list>) {} async fn with_a_receiver(&self, _: Guard<policy_of_list>) {} }
fn h() { get(async |_: Guard<Files>| {}); }
fn future(_: Guard<policy_of_list>) -> impl Future<Output = String> { async { String::new() } }
";
    let found = found("guards", &[("src/lib.rs", source)], "AUTH0013");
    let lines: Vec<_> = found.into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 7, 8, 10]);
}
