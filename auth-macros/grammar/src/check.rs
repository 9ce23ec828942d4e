//! What can be seen to be wrong in an attribute that was read.

mod logic;
mod module;
mod names;
mod ways;
mod whole;

use proc_macro2::{Span, TokenStream};
use syn::LitInt;
use syn::spanned::Spanned;

use self::logic::{contradiction, list, wrappers};
pub use self::module::module;
use self::names::names;
pub use self::names::{name_problem, realm_problem};
pub(crate) use self::ways::all_of;
pub use self::ways::{entails, is_enough, makes_known};
use self::whole::whole;
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{HideUnless, Kind, Requirement, Requires};

/// Notes everything that is wrong with the arguments of `#[requires(...)]`.
pub fn requires(requires: &Requires, errors: &mut Errors) {
    let readable = errors.is_empty();
    if requires.requirements.is_empty() && requires.module.is_none() && readable {
        errors.add(
            codes::SAYS_NOTHING,
            Span::call_site(),
            "`#[requires]` says nothing of who may call; write what is required, such as \
             `authenticated` or `scope = \"...\"`, or `#[public(reason = \"...\")]` if everybody may",
        );
    }
    for requirement in &requires.requirements {
        names(requirement, errors);
    }
    // With parts missing, what is left may look like something that nobody wrote.
    if readable {
        for requirement in &requires.requirements {
            wrappers(requirement, Requirement::to_string, errors);
        }
        list(&requires.requirements, true, errors);
        beside_module(requires, errors);
        if errors.is_empty() {
            whole(&around(requires), &requires.requirements, errors);
        }
    }

    if let Some(realm) = &requires.realm
        && let Some(problem) = realm_problem(&realm.text)
    {
        errors.add(codes::REALM, realm.span, problem);
    }
    if let Some(hide_as) = &requires.hide_as {
        status(hide_as, errors);
    }
    if let Some(lesser) = &requires.hide_unless {
        names(&lesser.lesser, errors);
        if readable {
            hide_unless(requires, lesser, errors);
        }
    }
}

/// Whom a denial of a hidden handler is shown to.
fn hide_unless(requires: &Requires, hide_unless: &HideUnless, errors: &mut Errors) {
    let HideUnless { key, lesser } = hide_unless;
    wrappers(lesser, Requirement::called, errors);
    list(std::slice::from_ref(lesser), true, errors);
    if errors.is_empty() {
        self::whole(&[], std::slice::from_ref(lesser), errors);
    }
    let whole = requires.clone().with_modules();
    if whole.hide_as.is_none() {
        errors.add(
            codes::NOTHING_HIDDEN,
            *key,
            "`hide_unless` makes an exception from hiding; write `hide_as = 404` before it",
        );
    }
    let all = all_of(whole.requirements);
    let is_empty = matches!(&all.kind, Kind::All(parts) if parts.is_empty());
    if !is_empty && entails(lesser, &all) {
        errors.add_across(
            codes::SHOWN_TO_NOBODY,
            lesser.span,
            lesser.end,
            format!(
                "whoever meets `{}` is let in, so no denial could be shown to them; name a lesser \
                 requirement, or remove `hide_unless`",
                lesser.called()
            ),
        );
    }
}

/// What the modules around ask for besides.
fn around(requires: &Requires) -> Vec<Requirement> {
    let modules = requires.module.as_deref().cloned();
    let holds = modules.filter(|_| requires.loosen.is_none());
    holds.unwrap_or_default().with_modules().requirements
}

/// What a handler says on its own, held against what its module says already.
fn beside_module(requires: &Requires, errors: &mut Errors) {
    let Some(module) = &requires.module else {
        if let Some(reason) = &requires.loosen {
            errors.add(
                codes::NOTHING_TO_LOOSEN,
                reason.span,
                "there is no policy of a module around this that could be loosened; remove `loosen`",
            );
        }
        return;
    };
    // Nothing is handed down by an attribute that is wrong, and that was told.
    if !module.requirements.is_empty() {
        self::requires(module, errors);
    }
    if requires.loosen.is_some() {
        if requires.requirements.is_empty() {
            errors.add(
                codes::SAYS_NOTHING,
                Span::call_site(),
                "a policy that is loosened still says who may call; write what is required, or \
                 `#[public(reason = \"...\")]` if everybody may",
            );
        }
        return;
    }
    let module = all_of(around(requires));
    for part in &requires.requirements {
        if entails(&module, part) {
            errors.add_across(
                codes::MODULE_ASKS,
                part.span,
                part.end,
                format!("`{part}` adds nothing: the module asks for it already; remove it"),
            );
        } else if let Some(why) = contradiction(&module, part) {
            errors.add_across(
                codes::CONTRADICTION,
                part.span,
                part.end,
                format!("nobody meets both `{part}` and what the module asks for: {why}"),
            );
        }
    }
}

/// `hide_as` has one right value, and each wrong one deserves its own reason.
fn status(value: &TokenStream, errors: &mut Errors) {
    let text = value.to_string();
    if let Ok(number) = syn::parse2::<LitInt>(value.clone())
        && number.suffix().is_empty()
        && number.base10_digits() == "404"
    {
        return;
    }
    let reason = match text.as_str() {
        "200" => "a denial that says success would be stored and read as the page itself",
        "401" => {
            "a 401 asks for credentials, which tells that there is something; without `hide_as` it \
             is what callers who are not known get anyway"
        }
        "403" => {
            "a 403 tells that there is something; without `hide_as` it is what callers who may not \
             get anyway"
        }
        "410" => "a 410 tells that there was something once",
        _ if text.trim_matches('"') == "404" => "the status is a number, without quotes",
        _ => "only the answer of a path that was never there hides anything",
    };
    errors.add(
        codes::HIDE_AS,
        value.span(),
        format!("{reason}; write `hide_as = 404`"),
    );
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
    fn what_makes_sense_passes() {
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
    fn what_cannot_matter_is_found_at_any_depth() {
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
    fn what_nobody_meets_is_found_through_lists() {
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
                .filter(|text| text.starts_with("nobody meets"));
            assert_eq!(nobody.count(), found, "{arguments}: {messages:?}");
        }
    }
}
