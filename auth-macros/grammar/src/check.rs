//! Checks of an attribute that was parsed.

mod analysis;
mod disclosure;
mod implication;
mod logic;
mod module;
mod names;
mod redundancy;

use proc_macro2::Span;

use self::analysis::{can_contradict, contradiction, entailed};
use self::disclosure::disclosure;
pub(crate) use self::implication::all_of;
pub use self::implication::{entails, makes_known};
use self::logic::{list, wrappers};
use self::module::is_module_wrong;
pub(crate) use self::module::{is_from_here, module, relative_function};
pub use self::names::name_problem;
use self::names::names;
pub(crate) use self::names::{NamePosition, problem, realm_problem};
use self::redundancy::redundancy;
use crate::codes;
use crate::errors::Errors;
use crate::lower;
use crate::requirement::{Name, ParsedRequirement, Requires};

/// Records all mistakes in the arguments of `#[requires(...)]`.
pub(crate) fn requires(requires: &Requires, errors: &mut Errors) {
    let readable = errors.is_empty();
    if requires.requirements.is_empty() && requires.module.is_none() && readable {
        errors.add(
            codes::NO_REQUIREMENT,
            Span::call_site(),
            "`#[requires]` has no requirement\n\
             help: write one, such as `authenticated` or `scope = \"...\"`, or `#[public(reason \
             = \"...\")]` for a public handler",
        );
    }
    for requirement in &requires.requirements {
        names(requirement, NamePosition::Listed, errors);
    }
    // With missing parts, the rest may look like a policy that was not written.
    if readable {
        for requirement in &requires.requirements {
            wrappers(requirement, ParsedRequirement::to_string, errors);
        }
        list(&requires.requirements, true, errors);
        beside_module(requires, errors);
        if errors.is_empty() {
            redundancy(&around(requires), &requires.requirements, errors);
        }
    }

    disclosure(requires, readable, errors);
}

/// Returns the requirements of the enclosing modules.
fn around(requires: &Requires) -> Vec<ParsedRequirement> {
    let module = requires.module.as_deref().cloned();
    let module = module.filter(|_| requires.loosen.is_none());
    module.unwrap_or_default().with_modules().requirements
}

/// Compares the handler's own policy with the policy of its module.
fn beside_module(requires: &Requires, errors: &mut Errors) {
    let Some(module) = &requires.module else {
        if let Some(reason) = &requires.loosen {
            errors.add(
                codes::NOTHING_TO_LOOSEN,
                reason.span,
                "`loosen` has no effect outside a module with a policy\nhelp: remove it",
            );
        }
        return;
    };
    if is_module_wrong(requires) {
        return;
    }
    // The module itself is checked where its attribute is.
    let module = module.as_ref().clone().with_modules().requirements;
    match &requires.loosen {
        Some(reason) => loosened(reason, &requires.requirements, &module, errors),
        None => added(&requires.requirements, &module, errors),
    }
}

/// Checks that a policy in place of the module's allows at least one caller that the module's
/// denies.
fn loosened(
    reason: &Name,
    own: &[ParsedRequirement],
    module: &[ParsedRequirement],
    errors: &mut Errors,
) {
    if own.is_empty() {
        errors.add(
            codes::NO_REQUIREMENT,
            Span::call_site(),
            format!(
                "`loosen` has no requirement beside it\n\
                 help: write `#[requires(role = \"...\", loosen = {:?})]`, or `#[public(reason = \
                 {:?})]` for a public handler",
                reason.text, reason.text
            ),
        );
    } else if entails(&all_of(own.to_vec()), &all_of(module.to_vec())) {
        errors.add(
            codes::LOOSENS_NOTHING,
            reason.span,
            format!(
                "`loosen` has no effect: {} implies {} of the enclosing module\n\
                 help: remove `loosen`, and the requirements that the module already has",
                listed(own),
                listed(module)
            ),
        );
    }
}

/// Checks that each addition to the policy of the module is new, and can be met.
fn added(own: &[ParsedRequirement], module: &[ParsedRequirement], errors: &mut Errors) {
    let around = all_of(module.to_vec());
    let own_parts: Vec<&ParsedRequirement> = own.iter().collect();
    let by_one = entailed(&module.iter().collect::<Vec<_>>(), &own_parts);
    let by_all = entailed(&[&around], &own_parts).pop().flatten();
    let asked = module.iter().filter(|asked| can_contradict(asked));
    let asked: Vec<_> = asked
        .map(|asked| (asked, lower::requirement(asked)))
        .collect();
    for (index, part) in own.iter().enumerate() {
        let is_implied = by_all.as_ref().is_some_and(|parts| parts.contains(&index));
        let implied = module.iter().zip(&by_one).find_map(|(asked, entailed)| {
            let is_one = entailed.as_ref().is_some_and(|it| it.contains(&index));
            is_one.then_some(asked)
        });
        let clash = can_contradict(part).then(|| {
            let part = lower::requirement(part);
            let mut asked = asked.iter();
            asked.find_map(|(asked, lowered)| Some((*asked, contradiction(lowered, &part)?)))
        });
        let clash = clash.flatten();
        let (code, message) = if let Some(asked) = implied
            && asked.to_string() == part.to_string()
        {
            let message = format!(
                "redundant requirement: the enclosing module already requires `{part}`\n\
                 help: remove it"
            );
            (codes::REPEATED_REQUIREMENT, message)
        } else if is_implied {
            let asked = implied.map_or_else(|| listed(module), |asked| format!("`{asked}`"));
            let message = format!(
                "redundant requirement: {asked} of the enclosing module implies `{part}`\n\
                 help: remove it, or write `loosen = \"...\"` with a reason to override the \
                 module's policy"
            );
            (codes::REPEATED_REQUIREMENT, message)
        } else if let Some((asked, why)) = clash {
            let message = format!(
                "contradiction between `{part}` and `{asked}` of the enclosing module: {why}\n\
                 help: remove it, or write `loosen = \"...\"` with a reason to override the \
                 module's policy"
            );
            (codes::CONTRADICTION, message)
        } else {
            continue;
        };
        errors.add_across(code, part.span, part.end, message);
    }
}

/// Formats a list without `all`.
fn listed(parts: &[ParsedRequirement]) -> String {
    let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    format!("`{}`", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    fn messages(arguments: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let read = args::requires(arguments.parse().expect("tokens"), &mut errors);
        requires(&read, &mut errors);
        errors.messages()
    }

    #[test]
    fn valid_policies_pass() {
        for arguments in [
            "authenticated",
            r#"scope = "a", scope = "b""#,
            r#"any(scope = "a", role = "a")"#,
            r#"any(all(scope = "a", scope = "b"), all(scope = "b", scope = "c"))"#,
            r#"any(scope = "a", any(scope = "b", scope = "c"))"#,
            r#"scope = "!#[]~", hide_as = 404"#,
            r#"scope = "a", hide_as = 404, hide_unless = authenticated"#,
            r#"scope = "a", scope = "b", hide_as = 404, hide_unless = scope("a")"#,
        ] {
            assert_eq!(messages(arguments), Vec::<String>::new(), "{arguments}");
        }
    }

    #[test]
    fn redundancy_is_found_at_any_depth() {
        for arguments in [
            r#"any(authenticated, scope = "x")"#,
            r#"any(scope = "x", all(scope = "x", role = "y"))"#,
            r#"any(scope = "x", any(scope = "y", scope = "x"))"#,
            r#"authenticated, scope = "x""#,
            r#"scope = "x", scope = "x""#,
            r#"scope = "x", any(scope = "x", role = "y")"#,
            r#"role = "r", any(role = "s", all(scope = "x", scope = "x"))"#,
            r#"any(all(scope = "x"), role = "r")"#,
            r#"all(any(scope = "x"), role = "r")"#,
            r#"any(scope = "x", role = "r"), any(role = "r", scope = "x")"#,
            r#"all(all(all(scope = "x", scope = "x"), role = "y"), role = "z")"#,
            r#"scope = "a", hide_as = 404, hide_unless = any(role = "x")"#,
            r#"scope = "a", hide_as = 404, hide_unless = scope("a")"#,
        ] {
            assert_eq!(
                messages(arguments).len(),
                1,
                "{arguments}: {:?}",
                messages(arguments)
            );
        }
    }

    #[test]
    fn contradictions_are_found_through_lists() {
        for (arguments, found) in [
            (r#"network = "10.0.0.0/8", network = "10.1.0.0/16""#, 0),
            (r#"network = "10.0.0.0/8", network = "192.168.0.0/16""#, 1),
            (r#"network = "10.0.0.0/8", network = "2001:db8::/32""#, 1),
            (
                r#"any(network = "10.0.0.0/8", role = "r"), network = "192.168.0.0/16""#,
                0,
            ),
            (
                r#"any(network = "10.0.0.0/8", network = "11.0.0.0/8"), network = "12.0.0.0/8""#,
                1,
            ),
            (
                r#"any(all(network = "10.0.0.0/8", role = "r"), network = "11.0.0.0/8"), network = "12.0.0.0/8""#,
                1,
            ),
            (r#"acr = "a", role = "r", acr = "b""#, 1),
            (r#"any(acr = "a", acr = "b"), acr = "c""#, 1),
            (r#"any(acr = "a", acr = "b"), role = "r""#, 0),
            (r#"amr = "a", amr = "b""#, 0),
            (r#"scope = "a", scope = "b""#, 0),
        ] {
            let messages = messages(arguments);
            let nobody = messages
                .iter()
                .filter(|text| text.starts_with("contradiction"));
            assert_eq!(nobody.count(), found, "{arguments}: {messages:?}");
        }
    }
}
