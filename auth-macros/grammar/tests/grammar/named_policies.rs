//! `policy = "…"` means the same as the requirements and settings of that policy in its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use auth_grammar::errors::Errors;
use auth_grammar::lower;
use auth_runtime_policy::{Policy, Requirement};

use crate::loaded;

const DECLARED: &str = r#"
[scopes]
read = "Read"
write = { description = "Change", implies = ["read"] }
[roles]
staff = "Staff"
admin = { description = "Administrators", implies = ["staff"] }
[permissions]
publish = "Publish"
[networks]
office = ["10.0.0.0/8", "2001:db8::/32"]
[settings]
open = "Open to all"
[resources]
Org = "An organization"
Repo = "A repository"
[actions]
list = "List it"
change = "Change it"
"#;

/// Returns the policy of an attribute and the functions that it calls, with these policies in the vocabulary.
fn lowered(
    policies: &[(&str, &str)],
    arguments: &str,
) -> (Policy, BTreeSet<(&'static str, String)>) {
    let mut text = DECLARED.to_owned();
    for (name, requires) in policies {
        text.push_str(&format!("[policies.{name}]\nrequires = '{requires}'\n"));
    }
    let loaded = loaded(&text);
    let mut errors = Errors::default();
    let tokens = arguments.parse().expect("tokens");
    let requires = auth_grammar::requires(tokens, Some(&loaded), &mut errors);
    assert_eq!(errors.messages(), Vec::<String>::new(), "{arguments}");
    let functions = requires.functions().into_iter();
    let functions = functions.map(|(key, function)| (key, function.to_string()));
    (lower::requires(&requires), functions.collect())
}

/// Requirements, and the object of the attribute that they are in.
const REQUIREMENTS: [(&[&str], &str); 12] = [
    (&["authenticated"], ""),
    (&["sender_constrained"], ""),
    (&[r#"scope = "read""#], ""),
    (&[r#"role = "staff""#, r#"network = "office""#], ""),
    (
        &[
            r#"any(permission = "publish", network = "office", all(role = "staff", scope = "read"))"#,
        ],
        "",
    ),
    (
        &[
            r#"any(setting = "open", scope = "read")"#,
            r#"acr = "gold""#,
        ],
        "",
    ),
    (&[r#"amr = "otp""#, r#"max_age = "15m""#], ""),
    (&["check = crate::checks::owns"], ""),
    (&[r#"can = "list""#], ""),
    (&[r#"can = "list""#], r#", on = "Repo::{owner}/{repo}""#),
    (
        &[
            r#"can = "change""#,
            r#"any(can("list", on = "Org::{org}"), role = "staff")"#,
        ],
        r#", on = "Repo::{repo}""#,
    ),
    (
        &[r#"can = "change""#],
        r#", on = "Repo", resource = crate::repository"#,
    ),
];

#[test]
fn a_policy_means_what_it_contains() {
    const HIDDEN: &str =
        r#"permission = "publish", scope = "write", role = "admin", hide_as = 404"#;
    const OFFICE: &str = r#"network = "198.51.100.0/24""#;
    for (parts, on) in REQUIREMENTS {
        let list = parts.join(", ");
        let one = match parts {
            [one] => (*one).to_owned(),
            _ => format!("all({list})"),
        };
        let text = format!("{list}{on}");
        let policies = [("p", text.as_str())];
        for (named, written) in [
            (r#"policy = "p""#.to_owned(), text.clone()),
            (
                format!(r#"any(policy = "p", {OFFICE})"#),
                format!("any({one}, {OFFICE}){on}"),
            ),
            (
                format!(r#"{HIDDEN}, hide_unless = policy("p")"#),
                format!("{HIDDEN}, hide_unless = {one}{on}"),
            ),
        ] {
            assert_eq!(lowered(&policies, &named), lowered(&[], &written));
        }
    }
}

#[test]
fn settings_of_policy_apply_to_attribute() {
    for settings in [
        "",
        "hide_as = 404",
        r#"hide_as = 404, hide_unless = role("staff")"#,
        r#"hide_as = 404, hide_unless = network("office")"#,
        r#"schemes(Basic, "Lab-Auth")"#,
        r#"realm = "safe""#,
        r#"says = "Only editors.""#,
        r#"hide_as = 404, hide_unless = role("staff"), schemes(Bearer), realm = "safe", says = "No.""#,
    ] {
        let text = format!(r#"permission = "publish", {settings}"#);
        let policies = [("p", text.as_str())];
        assert_eq!(lowered(&policies, r#"policy = "p""#), lowered(&[], &text));
        assert_eq!(
            lowered(&policies, r#"policy = "p", acr = "gold""#),
            lowered(
                &[],
                &format!(r#"permission = "publish", acr = "gold", {settings}"#)
            ),
        );
    }
}

/// Each policy has other settings. All of them apply, in any order.
#[test]
fn settings_of_all_policies_apply() {
    let policies = [
        (
            "hidden",
            r#"role = "staff", hide_as = 404, hide_unless = acr("gold")"#,
        ),
        ("basic", r#"scope = "read", schemes(Basic)"#),
        ("plain", r#"network = "office""#),
        (
            "spoken",
            r#"permission = "publish", realm = "safe", says = "No.""#,
        ),
    ];
    let requirements = |name: &str| match name {
        "hidden" => r#"role = "staff""#,
        "basic" => r#"scope = "read""#,
        "plain" => r#"network = "office""#,
        _ => r#"permission = "publish""#,
    };
    for order in [
        ["hidden", "basic", "plain", "spoken"],
        ["spoken", "plain", "basic", "hidden"],
        ["plain", "basic", "spoken", "hidden"],
    ] {
        let named = order.map(|name| format!("policy = {name:?}")).join(", ");
        let written = order.map(requirements).join(", ");
        let settings = r#"hide_as = 404, hide_unless = acr("gold"), schemes(Basic), realm = "safe", says = "No.""#;
        assert_eq!(
            lowered(&policies, &named),
            lowered(&[], &format!("{written}, {settings}")),
        );
        // The attribute decides about the settings that it has.
        assert_eq!(
            lowered(
                &policies,
                &format!(r#"{named}, hide_as = 404, hide_unless = amr("otp"), realm = "own""#)
            ),
            lowered(
                &[],
                &format!(
                    r#"{written}, hide_as = 404, hide_unless = amr("otp"), schemes(Basic), realm = "own", says = "No.""#
                )
            ),
        );
    }
}

/// The attribute names the callers that see its denials, and the policy hides them.
#[test]
fn exception_of_attribute_replaces_policy_exception() {
    for exception in ["", r#", hide_unless = role("staff")"#] {
        let text = format!(r#"permission = "publish", hide_as = 404{exception}"#);
        assert_eq!(
            lowered(
                &[("p", &text)],
                r#"policy = "p", hide_unless = network("office")"#
            ),
            lowered(
                &[],
                r#"permission = "publish", hide_as = 404, hide_unless = network("office")"#
            ),
            "{text}"
        );
    }
}

/// `hide_as` of the attribute replaces the hiding of a policy, with its exception.
#[test]
fn hiding_of_attribute_replaces_policy_hiding() {
    for exception in ["", r#", hide_unless = role("staff")"#] {
        let text = format!(r#"permission = "publish", hide_as = 404{exception}"#);
        assert_eq!(
            lowered(&[("p", &text)], r#"policy = "p", hide_as = 404"#),
            lowered(&[], r#"permission = "publish", hide_as = 404"#),
            "{text}"
        );
    }
}

/// The `on` of the attribute is for the requirements without an object, also in a policy.
#[test]
fn a_policy_keeps_its_own_object() {
    let policies = [
        ("lister", r#"can = "list", on = "Repo::{repo}""#),
        ("changer", r#"can = "change""#),
    ];
    assert_eq!(
        lowered(
            &policies,
            r#"policy = "lister", policy = "changer", on = "Org::{org}""#
        ),
        lowered(
            &[],
            r#"can("list", on = "Repo::{repo}"), can("change", on = "Org::{org}")"#
        ),
    );
    let function = [(
        "lister",
        r#"can = "list", on = "Repo", resource = crate::repo"#,
    )];
    assert_eq!(
        lowered(
            &function,
            r#"policy = "lister", can = "change", on = "Org::{org}""#
        ),
        lowered(
            &[],
            r#"can("list", on = "Repo", resource = crate::repo), can("change", on = "Org::{org}")"#
        ),
    );
}

/// A text that cannot be read again could lack a requirement.
#[test]
fn unreadable_policies_allow_no_caller() {
    let mut loaded = loaded(
        "[roles]\nstaff = \"Staff\"\nnight = \"The night shift\"\n\
         [policies.both]\nrequires = 'role = \"staff\", role = \"night\"'\n",
    );
    let vocabulary = loaded.vocabulary.as_mut().and_then(Arc::get_mut);
    let policies = &mut vocabulary.expect("a vocabulary of its own").policies;
    let both = policies.get_mut("both").expect("a policy");
    both.requires = both
        .requires
        .replace("role = \"night\"", "rule = \"night\"");
    let arguments = "policy = \"both\"".parse().expect("tokens");
    let requires = auth_grammar::requires(arguments, Some(&loaded), &mut Errors::default());
    assert_eq!(
        lower::requires(&requires),
        Policy::requires(Requirement::never())
    );
}
