//! Differences between actions on objects.

use super::*;

#[test]
fn actions_on_objects_are_compared() {
    let read = r#"can("read", on = "Repo::{id}")"#;
    let update = r#"can("update", on = "Repo::{id}")"#;
    let either = format!("any({read}, {update})");
    for (name, before, after, expected) in [
        ("another action", read, update, "changed"),
        (
            "another type",
            read,
            r#"can("read", on = "File::{id}")"#,
            "changed",
        ),
        (
            "another object",
            read,
            r#"can("read", on = "Repo::shared/{id}")"#,
            "changed",
        ),
        ("the service", read, r#"can = "read""#, "changed"),
        ("an alternative", read, &either, "loosened"),
        ("one of two", &either, update, "tightened"),
        (
            "a second one",
            read,
            &format!("{read}, {update}"),
            "tightened",
        ),
        (
            "either of both",
            &format!("{read}, {update}"),
            &either,
            "loosened",
        ),
        (
            "a scope",
            read,
            &format!(r#"{read}, scope = "repo""#),
            "tightened",
        ),
        ("in place of a scope", r#"scope = "repo""#, read, "changed"),
        (
            "beside a role",
            r#"role = "admin""#,
            &format!(r#"any(role = "admin", {read})"#),
            "loosened",
        ),
        ("everybody known", read, "authenticated", "loosened"),
        (
            "another order",
            &format!("{read}, {update}"),
            &format!("{update}, {read}"),
            "restated",
        ),
        (
            "shown to readers",
            &format!("{update}, hide_as = 404"),
            &format!("{update}, hide_as = 404, hide_unless = {read}"),
            "loosened",
        ),
        (
            "shown to others",
            &format!("{update}, hide_as = 404, hide_unless = {read}"),
            &format!(r#"{update}, hide_as = 404, hide_unless = can("list", on = "Repo::{{id}}")"#),
            "changed",
        ),
    ] {
        let line = |policy: &str| format!("GET /r/{{id}}  requires({policy})  shop::x");
        let changes = changes(&line(before), &line(after));
        assert!(changes.starts_with(expected), "{name}: {changes}");
    }
}

/// An object is named by a part of the path, whatever the parameter is called.
#[test]
fn objects_are_compared_by_path_place() {
    let line =
        |path: &str, on: &str| format!("GET {path}  requires(can(\"read\", on = {on:?}))  shop::x");
    for (name, before, after, expected) in [
        (
            "renamed",
            line("/r/{id}", "Repo::{id}"),
            line("/r/{repo}", "Repo::{repo}"),
            "restated",
        ),
        (
            "swapped in the path",
            line("/r/{a}/{b}", "Repo::{a}"),
            line("/r/{b}/{a}", "Repo::{a}"),
            "changed",
        ),
        (
            "swapped in both",
            line("/r/{a}/{b}", "Repo::{a}/{b}"),
            line("/r/{b}/{a}", "Repo::{b}/{a}"),
            "restated",
        ),
        (
            "swapped in the object",
            line("/r/{a}/{b}", "Repo::{a}/{b}"),
            line("/r/{a}/{b}", "Repo::{b}/{a}"),
            "changed",
        ),
        (
            "renamed wildcard",
            line("/r/{*path}", "File::{path}"),
            line("/r/{*rest}", "File::{rest}"),
            "restated",
        ),
    ] {
        let changes = changes(&before, &after);
        assert!(changes.starts_with(expected), "{name}: {changes}");
    }
    // A wildcard also has the rest of the path, which is another object.
    let narrow = line("/r/{file}/raw", "File::{file}");
    let wide = line("/r/{*path}", "File::{path}");
    let removed = changes(&format!("{narrow}\n{wide}"), &wide);
    assert!(removed.starts_with("changed"), "{removed}");
    // The place is that of the segment, not of the parameter.
    let narrow = line("/orgs/{id}", "Org::{id}");
    for (on, expected) in [("Org::{kind}", "changed"), ("Org::{id}", "removed")] {
        let wide = line("/{kind}/{id}", on);
        let removed = changes(&format!("{narrow}\n{wide}"), &wide);
        assert!(removed.starts_with(expected), "{on}: {removed}");
    }
}
