//! Functions in policies, which have other meanings in other modules and on other paths.

use super::*;

#[test]
fn checks_elsewhere_may_differ() {
    let line = |policy: &str, handler: &str| format!("GET /x  {policy}  {handler}");
    let check = "requires(check = is_owner, hide_as = 404, hide_unless = check(may_know))";
    let lesser = r#"requires(role = "a", hide_as = 404, hide_unless = check(may_know))"#;
    let [relative, parent] = [
        "requires(check = rules::is_owner)",
        "requires(check = super::is_owner)",
    ];
    let object = r#"requires(can("read", on = "Report", resource = of_query))"#;
    let narrower = r#"requires(check = is_owner, role = "a", hide_as = 404)"#;
    for (before, after, expected) in [
        (line(check, "a::x"), line(check, "a::y"), "moved"),
        (line(check, "a::x"), line(check, "b::x"), "changed"),
        (line(check, "a::x"), line(narrower, "a::y"), "tightened"),
        (line(check, "a::x"), line(narrower, "b::x"), "changed"),
        (
            line("requires(role = \"a\")", "a::x"),
            line("requires(any(role = \"a\", check = is_owner))", "b::x"),
            "loosened",
        ),
        // The function is determined by its path, independently of the handler's module.
        (
            line("requires(check = crate::is_owner)", "shop::a::x"),
            line("requires(check = crate::is_owner)", "shop::b::x"),
            "moved",
        ),
        (
            line("requires(check = crate::is_owner)", "shop::x"),
            line("requires(check = crate::is_owner)", "shelf::x"),
            "changed",
        ),
        (
            line("requires(check = ::shop::is_owner)", "shop::x"),
            line("requires(check = ::shop::is_owner)", "shelf::x"),
            "moved",
        ),
        // Other paths start from the handler's module.
        (
            line(relative, "shop::a::x"),
            line(relative, "shop::a::y"),
            "moved",
        ),
        (
            line(relative, "shop::a::x"),
            line(relative, "shop::b::x"),
            "changed",
        ),
        (
            line(parent, "shop::a::x"),
            line(parent, "shop::b::x"),
            "changed",
        ),
        // A function may determine the disclosure only.
        (line(lesser, "a::x"), line(lesser, "a::y"), "moved"),
        (line(lesser, "a::x"), line(lesser, "b::x"), "changed"),
        // The function that returns an object is determined in the same way.
        (line(object, "a::x"), line(object, "a::y"), "moved"),
        (line(object, "a::x"), line(object, "b::x"), "changed"),
        (
            line(object, "a::x").replace("/x", "/{owner}"),
            line(object, "a::x").replace("/x", "/{name}"),
            "changed",
        ),
        // The check may read a parameter by its name.
        (
            line(check, "a::x").replace("/x", "/{owner}"),
            line(check, "a::x").replace("/x", "/{name}"),
            "changed",
        ),
    ] {
        let found = changes(&before, &after);
        assert!(found.starts_with(expected), "{before} {after} {found}");
    }
}
