//! Checks of the disclosure settings.

use std::collections::BTreeSet;

use proc_macro2::Span;
use syn::LitInt;

use super::implication::{all_of, entails};
use super::logic::{list, wrappers};
use super::module::is_module_wrong;
use super::names::{NamePosition, names, realm_problem, text_problem};
use super::redundancy::{idle_exception, redundancy};
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{HideAs, HideUnless, Name, ParsedRequirement, RequirementKind, Requires};

/// Records mistakes in the disclosure settings. `readable` states whether all requirements could be parsed.
pub(super) fn disclosure(requires: &Requires, readable: bool, errors: &mut Errors) {
    if let Some(realm) = &requires.realm
        && let Some(problem) = realm_problem(&realm.text)
    {
        errors.add(codes::REALM, realm.span, problem);
    }
    if let Some(text) = &requires.says
        && let Some(problem) = text_problem(&text.text)
    {
        errors.add(codes::TEXT, text.span, problem);
    }
    if let Some(hide_as) = &requires.hide_as {
        status(hide_as, errors);
    }
    if let Some(hidden) = &requires.hide_unless {
        names(&hidden.lesser, NamePosition::Alone, errors);
    }
    if !readable || is_module_wrong(requires) {
        return;
    }
    let all = requires.clone().with_modules();
    if let Some(hidden) = &requires.hide_unless {
        hide_unless(requires, hidden, &all, errors);
    }
    // A named policy has the same disclosure in every place.
    let has_named_policy = requires.requirements.iter().any(|it| it.policy.is_some());
    if !has_named_policy {
        repeated(requires, errors);
        unseen_text(requires, &all, errors);
    }
    bound_schemes(&all, errors);
}

/// Checks the exception `hide_unless` of a hidden handler. `all` includes the policies of the modules.
fn hide_unless(requires: &Requires, hide_unless: &HideUnless, all: &Requires, errors: &mut Errors) {
    let HideUnless { key, lesser } = hide_unless;
    if all.hide_as.is_none() {
        let place = if requires.module.is_some() {
            "here, or on the enclosing module"
        } else {
            "before it"
        };
        errors.add(
            codes::NOTHING_HIDDEN,
            *key,
            format!(
                "`hide_unless` has no effect without `hide_as`\n\
                 help: write `hide_as = 404` {place}"
            ),
        );
    }
    let mut mistakes = Errors::default();
    wrappers(lesser, ParsedRequirement::called, &mut mistakes);
    list(std::slice::from_ref(lesser), true, &mut mistakes);
    if mistakes.is_empty() {
        redundancy(&[], std::slice::from_ref(lesser), &mut mistakes);
    }
    let makes_sense = mistakes.is_empty();
    errors.extend(mistakes);
    if all.requirements.is_empty() || !makes_sense {
        return;
    }
    let all = all_of(all.requirements.clone());
    if entails(lesser, &all) {
        let known = ParsedRequirement {
            kind: RequirementKind::Authenticated,
            ..all.clone()
        };
        let example = if entails(&known, &all) {
            ""
        } else {
            ", such as `authenticated`"
        };
        errors.add_across(
            codes::IDLE_EXCEPTION,
            lesser.span,
            lesser.end,
            format!(
                "`hide_unless` has no effect: callers that meet `{}` are never denied\n\
                 help: name a requirement that denied callers can meet{example}, or remove \
                 `hide_unless`",
                lesser.called()
            ),
        );
    } else {
        idle_exception(lesser, &all, errors);
    }
}

/// Records keys that repeat a disclosure setting of the enclosing module.
fn repeated(requires: &Requires, errors: &mut Errors) {
    let Some(module) = requires.module.as_deref().cloned() else {
        return;
    };
    let module = module.with_modules();
    let mut idle = |key: &str, span: Span, end: Span| {
        let message =
            format!("redundant `{key}`: the enclosing module already sets it\nhelp: remove it");
        errors.add_across(codes::IDLE_DISCLOSURE, span, end, message);
    };
    if let Some(hide_as) = &requires.hide_as
        && requires.hide_unless.is_none()
        && module.hide_as.is_some()
        && module.hide_unless.is_none()
    {
        idle("hide_as", hide_as.span, hide_as.end);
    }
    if let Some(own) = &requires.hide_unless
        && let Some(around) = &module.hide_unless
        && (requires.hide_as.is_none() || module.hide_as.is_some())
        && is_equivalent(&own.lesser, &around.lesser)
    {
        if let Some(hide_as) = &requires.hide_as {
            idle("hide_as", hide_as.span, hide_as.end);
        }
        idle("hide_unless", own.key, own.lesser.end);
    }
    if let (Some(own), Some(around)) = (&requires.schemes, &module.schemes)
        && let (Some(first), Some(last)) = (own.first(), own.last())
        && scheme_names(own) == scheme_names(around)
    {
        idle("schemes", first.span, last.span);
    }
    for (key, own, around) in [
        ("realm", &requires.realm, &module.realm),
        ("says", &requires.says, &module.says),
    ] {
        if let Some(own) = own
            && around.as_ref() == Some(own)
        {
            idle(key, own.span, own.span);
        }
    }
}

fn is_equivalent(one: &ParsedRequirement, other: &ParsedRequirement) -> bool {
    entails(one, other) && entails(other, one)
}

/// Returns the names of schemes, which the protection space offers in its own order.
fn scheme_names(schemes: &[Name]) -> BTreeSet<&str> {
    schemes.iter().map(|scheme| scheme.text.as_str()).collect()
}

/// Records a text of denials that are all concealed.
fn unseen_text(requires: &Requires, all: &Requires, errors: &mut Errors) {
    if let Some(text) = &requires.says
        && all.hide_as.is_some()
        && all.hide_unless.is_none()
    {
        errors.add(
            codes::IDLE_DISCLOSURE,
            text.span,
            "`says` has no effect: every denial is concealed\n\
             help: remove it, or name the callers that learn of the resource: `hide_unless = ...`",
        );
    }
}

/// Records schemes without credentials that can be bound to a key, if the policy requires such credentials.
fn bound_schemes(all: &Requires, errors: &mut Errors) {
    let Some(schemes) = &all.schemes else { return };
    let bound = ParsedRequirement {
        kind: RequirementKind::SenderConstrained,
        ..all_of(Vec::new())
    };
    let is_unbound = |scheme: &Name| UNBOUND.contains(&scheme.text.as_str());
    if let Some(first) = schemes.first().filter(|_| schemes.iter().all(is_unbound))
        && entails(&all_of(all.requirements.clone()), &bound)
    {
        let names: Vec<&str> = schemes.iter().map(|scheme| scheme.text.as_str()).collect();
        let message = format!(
            "contradiction between `sender_constrained` and `schemes({})`: a password is not \
             bound to a key\n\
             help: name a sender-constrained scheme, such as `DPoP`",
            names.join(", ")
        );
        errors.add(codes::CONTRADICTION, first.span, message);
    }
}

/// The password schemes.
const UNBOUND: [&str; 2] = ["Basic", "Digest"];

/// Checks `hide_as`. It has one valid value; each invalid one has its own message.
fn status(value: &HideAs, errors: &mut Errors) {
    let text = &value.text;
    // Audits search for exactly these characters.
    if text == "404" {
        return;
    }
    let number = syn::parse_str::<LitInt>(text);
    let is_404 = number.is_ok_and(|number| number.base10_digits() == "404")
        || text
            .trim_matches('"')
            .strip_prefix("404")
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
        || text.ends_with("NOT_FOUND");
    let message = match text.as_str() {
        "200" => "a denial cannot have a success status\nhelp: write `hide_as = 404`",
        "401" => {
            "a 401 response reveals that the resource exists\n\
             help: write `hide_as = 404`, or remove `hide_as` to respond with 401 or 403"
        }
        "403" => {
            "a 403 response reveals that the resource exists\n\
             help: write `hide_as = 404`, or remove `hide_as` to respond with 401 or 403"
        }
        "410" => "a 410 response reveals that the resource existed\nhelp: write `hide_as = 404`",
        _ if is_404 => {
            "a text search misses this spelling of `hide_as`\nhelp: write `hide_as = 404`"
        }
        _ => "`hide_as` takes only 404\nhelp: write `hide_as = 404`",
    };
    errors.add_across(codes::HIDE_AS, value.span, value.end, message);
}
