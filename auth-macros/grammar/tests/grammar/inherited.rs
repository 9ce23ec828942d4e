//! The policies of handlers in modules, as the runtime evaluates them.

use auth_grammar::errors::Errors;
use auth_grammar::lower;
use auth_grammar::vocabulary::LoadedVocabulary;

use crate::loaded;

#[track_caller]
fn assert_inherited(
    modules: &[&str],
    own: &str,
    vocabulary: Option<&LoadedVocabulary>,
    expected: &str,
) {
    let mut errors = Errors::default();
    let lists = modules.iter().map(|list| list.parse().expect("tokens"));
    let own = own.parse().expect("tokens");
    let requires = auth_grammar::within(lists.collect(), own, vocabulary, &mut errors);
    assert_eq!(errors.messages(), Vec::<String>::new(), "{modules:?}");
    let policy = lower::requires(&requires).to_string();
    assert_eq!(policy, format!("requires({expected})"), "{modules:?}");
}

#[test]
fn requirements_of_all_modules_add_up() {
    for (modules, own, expected) in [
        (&[r#"role = "a""#][..], "", r#"role = "a""#),
        (
            &[
                r#"role = "a""#,
                r#"network = "10.0.0.0/8""#,
                r#"acr = "gold""#,
            ],
            r#"scope = "s""#,
            r#"role = "a", network = "10.0.0.0/8", acr = "gold", scope = "s""#,
        ),
        (
            &[r#"any(role = "a", role = "b")"#, ""],
            r#"any(scope = "s", scope = "t")"#,
            r#"any(role = "a", role = "b"), any(scope = "s", scope = "t")"#,
        ),
    ] {
        assert_inherited(modules, own, None, expected);
    }
}

/// A policy with a reason replaces the requirements of all modules around it, and none of those in it. The handlers
/// in it have that reason, unless they replace the policy themselves.
#[test]
fn loosened_modules_are_added_to() {
    let outer = r#"role = "admin", hide_as = 404"#;
    let inner = r#"role = "auditor", loosen = "auditors read""#;
    let innermost = r#"amr = "otp""#;
    for (modules, own, expected) in [
        (
            &[outer, inner][..],
            "",
            r#"role = "auditor", hide_as = 404, loosen = "auditors read""#,
        ),
        (
            &[outer, inner],
            r#"scope = "log""#,
            r#"role = "auditor", scope = "log", hide_as = 404, loosen = "auditors read""#,
        ),
        (
            &[outer, inner, innermost],
            r#"scope = "log""#,
            r#"role = "auditor", amr = "otp", scope = "log", hide_as = 404, loosen = "auditors read""#,
        ),
        (
            &[outer, innermost, inner],
            r#"scope = "log""#,
            r#"role = "auditor", scope = "log", hide_as = 404, loosen = "auditors read""#,
        ),
        (
            &[outer, inner],
            r#"role = "clerk", loosen = "clerks too""#,
            r#"role = "clerk", hide_as = 404, loosen = "clerks too""#,
        ),
        (
            &[outer, innermost],
            r#"role = "clerk", loosen = "clerks too""#,
            r#"role = "clerk", hide_as = 404, loosen = "clerks too""#,
        ),
    ] {
        assert_inherited(modules, own, None, expected);
    }
}

/// Each setting comes from the innermost attribute that has it; `hide_as` and `hide_unless` are one setting.
#[test]
fn the_innermost_setting_applies() {
    let half_hidden = r#"role = "a", hide_as = 404, hide_unless = role("b")"#;
    let all = r#"role = "a", schemes(Basic), realm = "outer", says = "Ask for it.""#;
    for (modules, own, expected) in [
        (&[half_hidden][..], "", half_hidden),
        (
            &[half_hidden],
            "hide_as = 404",
            r#"role = "a", hide_as = 404"#,
        ),
        (
            &[half_hidden, "hide_as = 404"],
            r#"scope = "s""#,
            r#"role = "a", scope = "s", hide_as = 404"#,
        ),
        (
            &[half_hidden],
            r#"hide_unless = role("c")"#,
            r#"role = "a", hide_as = 404, hide_unless = role("c")"#,
        ),
        (
            &[half_hidden],
            r#"role = "c", loosen = "why""#,
            r#"role = "c", hide_as = 404, hide_unless = role("b"), loosen = "why""#,
        ),
        (&[all], "", all),
        (
            &[all, r#"realm = "inner""#],
            "schemes(Bearer)",
            r#"role = "a", schemes(Bearer), realm = "inner", says = "Ask for it.""#,
        ),
        (
            &[all, "schemes(Bearer)"],
            r#"says = "No.", hide_as = 404, hide_unless = authenticated"#,
            r#"role = "a", hide_as = 404, hide_unless = authenticated, schemes(Bearer), realm = "outer", says = "No.""#,
        ),
    ] {
        assert_inherited(modules, own, None, expected);
    }
}

/// A policy of the vocabulary is nearer to the handler than its modules, and further away than its attribute.
#[test]
fn settings_of_policies_precede_module_settings() {
    let loaded = loaded(
        r#"[roles]
a = "A role"
[policies.inside]
requires = 'amr = "otp", hide_as = 404, hide_unless = acr("low"), schemes(Bearer), realm = "inside", says = "Not here."'
"#,
    );
    let settings = r#"hide_as = 404, hide_unless = acr("low"), schemes(Bearer), realm = "inside", says = "Not here.""#;
    let other = r#"hide_as = 404, hide_unless = acr("gold"), schemes(Basic), realm = "outside", says = "Not there.""#;
    for (modules, own, expected) in [
        (
            &[&*format!(r#"role = "a", {other}"#)][..],
            r#"policy = "inside""#.to_owned(),
            format!(r#"role = "a", amr = "otp", {settings}"#),
        ),
        (
            &[r#"role = "a""#, other],
            r#"policy = "inside""#.to_owned(),
            format!(r#"role = "a", amr = "otp", {settings}"#),
        ),
        (
            &[&*format!(r#"role = "a", {other}"#), r#"policy = "inside""#],
            String::new(),
            format!(r#"role = "a", amr = "otp", {settings}"#),
        ),
        (
            &[r#"role = "a""#],
            format!(r#"policy = "inside", {other}"#),
            format!(r#"role = "a", amr = "otp", {other}"#),
        ),
        (
            &[r#"policy = "inside""#],
            format!(r#"role = "a", {other}"#),
            format!(r#"amr = "otp", role = "a", {other}"#),
        ),
    ] {
        assert_inherited(modules, &own, Some(&loaded), &expected);
    }
}

#[test]
fn names_in_modules_are_resolved() {
    let loaded = loaded(
        "[roles]\nstaff = \"Staff\"\nadmin = { description = \"All\", implies = [\"staff\"] }\n\
         [scopes]\nread = \"Read\"\nwrite = { description = \"Write\", implies = [\"read\"] }\n\
         [policies.inside]\nrequires = 'role = \"staff\", hide_as = 404'\n",
    );
    let staff = r#"any(role = "staff", role = "admin")"#;
    for modules in [
        &[r#"policy = "inside""#][..],
        &[r#"policy = "inside""#, ""],
        &[r#"role = "staff""#, "hide_as = 404"],
    ] {
        let expected = format!(r#"{staff}, any(scope = "read", scope = "write"), hide_as = 404"#);
        assert_inherited(modules, r#"scope = "read""#, Some(&loaded), &expected);
    }
}

/// The object of a module is that of its handlers without an object of their own.
#[test]
fn objects_of_modules_are_a_default() {
    let outer = r#"can = "list", on = "Org::{org}""#;
    for (modules, own, expected) in [
        (
            &[outer][..],
            r#"can = "read""#,
            r#"can("list", on = "Org::{org}"), can("read", on = "Org::{org}")"#,
        ),
        (
            &[outer],
            r#"can = "read", on = "Repo::{repo}""#,
            r#"can("list", on = "Org::{org}"), can("read", on = "Repo::{repo}")"#,
        ),
        (
            &[outer, r#"on = "Repo", resource = crate::repo"#],
            r#"can = "read""#,
            r#"can("list", on = "Org::{org}"), can("read", on = "Repo", resource = crate::repo)"#,
        ),
        (
            &[r#"can = "list", on = "Org", resource = crate::org"#],
            r#"can = "read", on = "Repo::{repo}""#,
            r#"can("list", on = "Org", resource = crate::org), can("read", on = "Repo::{repo}")"#,
        ),
    ] {
        assert_inherited(modules, own, None, expected);
    }
}

/// Returns the keys that a handler has in vain in addition to those of its module.
fn repeated(module: &str, own: &str) -> Vec<String> {
    let mut errors = Errors::default();
    let module = vec![module.parse().expect("tokens")];
    auth_grammar::within(module, own.parse().expect("tokens"), None, &mut errors);
    let messages = errors.messages().into_iter();
    let keys = messages.map(|message| {
        let key = message.strip_prefix("redundant `").and_then(|rest| {
            let behind = "`: the enclosing module already sets it [AUTH0063]\nhelp: remove it";
            rest.strip_suffix(behind)
        });
        key.map(ToOwned::to_owned).unwrap_or(message)
    });
    keys.collect()
}

#[test]
fn repeated_settings_are_reported() {
    let module = r#"role = "a", hide_as = 404, hide_unless = any(role = "b", role = "c"),
        schemes(Bearer, DPoP), realm = "r", says = "Ask Ann.""#;
    for (own, expected) in [
        ("hide_as = 404", &[][..]),
        (
            r#"hide_as = 404, hide_unless = any(role = "c", role = "b")"#,
            &["hide_as", "hide_unless"],
        ),
        (
            r#"hide_unless = any(role = "b", role = "c")"#,
            &["hide_unless"],
        ),
        (r#"hide_unless = role("b")"#, &[]),
        (r#"hide_as = 404, hide_unless = role("b")"#, &[]),
        ("schemes(DPoP, Bearer)", &["schemes"]),
        ("schemes(DPoP)", &[]),
        ("schemes(DPoP, Bearer, Basic)", &[]),
        (r#"realm = "r""#, &["realm"]),
        (r#"realm = "s""#, &[]),
        (r#"says = "Ask Ann.""#, &["says"]),
        (r#"says = "Ask Bob.""#, &[]),
    ] {
        assert_eq!(repeated(module, own), expected, "{own}");
        let own = format!(r#"{own}, scope = "s""#);
        assert_eq!(repeated(module, &own), expected, "{own}");
    }
    for (module, own, expected) in [
        (
            r#"role = "a", hide_as = 404"#,
            "hide_as = 404",
            &["hide_as"][..],
        ),
        (
            r#"role = "a", hide_as = 404"#,
            r#"hide_as = 404, hide_unless = role("b")"#,
            &[],
        ),
        (
            r#"role = "a""#,
            r#"hide_as = 404, hide_unless = role("b"), schemes(Basic), realm = "r", says = "Ask Ann.""#,
            &[],
        ),
    ] {
        assert_eq!(repeated(module, own), expected, "{module} {own}");
    }
}
