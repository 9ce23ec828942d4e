//! Output in SARIF 2.1.0, for code scanning.

use std::collections::{BTreeMap, BTreeSet};

use auth_runtime::catalogue;
use serde_json::{Value, json};

use crate::report::count;
use crate::sources::{AxumRoute, Finding, Place, Routes, Sources};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The rule of compiler errors without a code.
const COMPILER: &str = "compiler";
/// The rule of policies, which are not mistakes.
const POLICY: &str = "policy";

/// The rule of unguarded handlers and routers with a reason, for review.
const UNGUARDED: &str = "unguarded";
/// The rule of routes without a policy and without a reason, for review.
const WITHOUT_POLICY: &str = "without-policy";
/// The rule of policies in macros, for review.
const MACRO: &str = "macro";
/// The rules of routes with and without a check.
const ROUTE: &str = "route";
const UNCHECKED: &str = "route-without-check";
/// The rule of functions that make routers without use, for review.
const UNUSED: &str = "unused-router";

/// Returns every policy, every unguarded handler and router, every route without a policy, and every
/// policy in a macro, as results that are not mistakes.
pub(crate) fn policies(sources: &Sources) -> Value {
    let policies = sources.entries.iter().map(|entry| {
        let mut text = format!("{}: {}", entry.path, entry.policy);
        if let Some(condition) = &entry.condition {
            text.push_str(&format!(" if {condition}"));
        }
        if !entry.is_mistaken {
            return note(POLICY, "informational", &text, &entry.place);
        }
        text.push_str(" (invalid: see `cargo auth check`)");
        note(POLICY, "review", &text, &entry.place)
    });
    let unguarded = sources.unguarded.iter().map(|unguarded| {
        let text = format!("{}: {}", unguarded.description(), unguarded.reason);
        note(UNGUARDED, "review", &text, &unguarded.place)
    });
    let without_policy = sources.without_policy().map(|route| {
        let text = match route.target.as_str() {
            "" => "a route of a plain router has no policy: see `cargo auth check`".to_owned(),
            target => {
                format!("`{target}`, on a plain router, has no policy: see `cargo auth check`")
            }
        };
        note(WITHOUT_POLICY, "review", &text, &route.place)
    });
    let macros = sources.macros.iter().map(|policy| {
        let (name, text) = (&policy.name, &policy.text);
        let text = format!("the macro `{name}` has a policy, which is not listed: {text}");
        note(MACRO, "review", &text, &policy.place)
    });
    let rules = vec![
        rule(POLICY, "the access policy of a handler or a service"),
        rule(UNGUARDED, "access without a policy, with its reason"),
        rule(WITHOUT_POLICY, "a route of a plain router without a policy"),
        rule(MACRO, "a policy in a macro, which is not read"),
    ];
    let results = policies.chain(unguarded).chain(without_policy);
    log(rules, results.chain(macros).collect(), &[])
}

/// Returns the findings as results.
pub(crate) fn findings(findings: &[Finding]) -> Value {
    let code_of = |finding: &Finding| finding.code.clone().unwrap_or(COMPILER.to_owned());
    let codes: BTreeSet<String> = findings.iter().map(code_of).collect();
    let results = findings.iter().map(|finding| {
        json!({
            "ruleId": code_of(finding),
            "level": "error",
            "message": { "text": finding.message },
            "locations": [location(&finding.place)],
        })
    });
    let results = results.collect();
    log(
        codes.iter().map(|code| rule_of(code)).collect(),
        results,
        &[],
    )
}

/// Returns every route, and those without a check and unused routers for review. Several routes at
/// one place are one result, or two if only some of them have a check. `unread` has the files that
/// were not read, with the reasons.
pub(crate) fn routes(routes: &Routes, unread: &[String]) -> Value {
    let Routes { routes, unused } = routes;
    let mut places: BTreeMap<(&Place, bool), Vec<&AxumRoute>> = BTreeMap::new();
    for route in routes {
        let is_open = route.checks.is_empty();
        places
            .entry((&route.place, is_open))
            .or_default()
            .push(route);
    }
    let results = places.iter().map(|((place, is_open), routes)| {
        let names = routes.iter().map(|it| format!("{} {}", it.method, it.path));
        let mut names: Vec<_> = names.collect();
        // Several mounts may differ in their layers only.
        names.dedup();
        let names = names.join(", ");
        if *is_open {
            return note(
                UNCHECKED,
                "review",
                &format!("{names}: no check found"),
                place,
            );
        }
        let checks: BTreeSet<_> = routes.iter().flat_map(|route| &route.checks).collect();
        let checks: Vec<_> = checks.into_iter().map(ToString::to_string).collect();
        let text = format!("{names}: {}", checks.join(", "));
        note(ROUTE, "informational", &text, place)
    });
    let unused = unused.iter().map(|unused| {
        let (name, number) = (&unused.function, count(unused.routes, "route"));
        let text = format!("nothing calls `{name}`, which makes {number}");
        note(UNUSED, "review", &text, &unused.place)
    });
    let results = results.chain(unused).collect();
    let rules = vec![
        rule(ROUTE, "a route, and the code that seems to check access"),
        rule(UNCHECKED, "a route without code that seems to check access"),
        rule(
            UNUSED,
            "a router that nothing uses, so its routes are left out",
        ),
    ];
    log(rules, results, unread)
}

fn rule(id: &str, text: &str) -> Value {
    json!({ "id": id, "shortDescription": { "text": text } })
}

/// Returns the rule of a code: its title and its help text.
fn rule_of(code: &str) -> Value {
    let Some(page) = catalogue::page(code) else {
        return rule(code, "a message of the compiler");
    };
    let title = page.lines().next().unwrap_or_default();
    let title = title.split_once(": ").map_or(title, |(_, title)| title);
    json!({
        "id": code,
        "shortDescription": { "text": title },
        "help": { "text": page, "markdown": page },
    })
}

/// Returns a result that is not a mistake.
fn note(rule: &str, kind: &str, text: &str, place: &Place) -> Value {
    json!({
        "ruleId": rule,
        "kind": kind,
        "level": "none",
        "message": { "text": text },
        "locations": [location(place)],
    })
}

fn location(place: &Place) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.file), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": place.line, "startColumn": place.column },
        },
    })
}

/// Returns a path as a relative reference. Invalid bytes are percent-encoded (RFC 3986 §2.1, §4.2).
fn uri(file: &str) -> String {
    let mut uri = String::new();
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// Returns a log. Files that were not read make it incomplete.
fn log(rules: Vec<Value>, results: Vec<Value>, unread: &[String]) -> Value {
    let notifications = unread.iter().map(
        |reason| json!({ "level": "error", "message": { "text": format!("not read: {reason}") } }),
    );
    let notifications: Vec<_> = notifications.collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "cargo-auth",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "invocations": [{
                "executionSuccessful": unread.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}
