//! Attributes. If one is accepted, its printed form has the same meaning. If there are several lines, the
//! first is the policy of an enclosing module.

use auth_grammar::check;
use auth_grammar::errors::Errors;
use auth_grammar::requirement::{ParsedRequirement, RequirementKind, Requires};
use proc_macro2::{Span, TokenStream};

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "attribute",
    cost: 1,
    dictionary: &[
        "authenticated",
        "scope = \"repo:read\"",
        "role = \"admin\"",
        "permission = \"p\"",
        "acr = \"1\"",
        "amr = \"mfa\"",
        "max_age = \"15m\"",
        "sender_constrained",
        "network = \"10.0.0.0/8\"",
        "network = \"2001:db8::/32\"",
        "setting = \"s\"",
        "check = is_fine",
        "check = a::b",
        "can = \"update\"",
        "on = \"Repository::{owner}/{repo}\"",
        "policy = \"p\"",
        "any(",
        "all(",
        ")",
        ", ",
        "hide_as = 404",
        "hide_unless = role(\"r\")",
        "schemes(\"Bearer\")",
        "realm = \"x\"",
        "says = \"x\"",
        "loosen = \"x\"",
        "module(",
        "not(",
        "scope(\"a\", \"b\")",
        "r#\"",
        "#",
        "\"",
    ],
    start,
};

fn start() -> Check {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input);
        let (around, inner) = text.split_once('\n').unwrap_or(("", &text));
        let (Some(around), Some(inner)) = (tokens(around), tokens(inner)) else {
            return Outcome::of("not tokens");
        };
        let (module, own) = match (accepted(&around), accepted(&inner)) {
            (Ok(module), Ok(own)) => (module, own),
            (Err(messages), _) | (_, Err(messages)) => return Outcome::of_messages(messages),
        };
        let within = |own: TokenStream| {
            let mut errors = Errors::default();
            let both = auth_grammar::within(vec![around.clone()], own, None, &mut errors);
            errors.is_empty().then(|| both.with_modules())
        };
        // An addition to a policy only restricts it, and a loosening policy allows further callers.
        let added = within(inner.clone());
        if let Some(added) = &added {
            assert!(entails(added, &module), "{text}");
            assert!(entails(added, &own), "{text}");
        }
        let loosening = tokens(&format!("{inner}, loosen = \"x\"")).and_then(within);
        if let Some(loosened) = &loosening {
            assert!(!check::entails(&all(loosened), &all(&module)), "{text}");
            let is_hidden = module.hide_as.is_some() || own.hide_as.is_some();
            assert_eq!(loosened.hide_as.is_some(), is_hidden, "{text}");
        }
        let shape = own
            .to_string()
            .replace(|letter: char| letter.is_ascii_lowercase(), "");
        Outcome::of((added.is_some(), loosening.is_some(), shape))
    })
}

/// The compiler itself rejects text that does not consist of tokens.
fn tokens(text: &str) -> Option<TokenStream> {
    text.parse().ok()
}

/// Returns the policy of a valid attribute, or the messages.
fn accepted(arguments: &TokenStream) -> Result<Requires, Vec<String>> {
    let mut errors = Errors::default();
    let requires = auth_grammar::requires(arguments.clone(), None, &mut errors);
    if !errors.is_empty() {
        let messages = errors.messages();
        assert!(messages.iter().all(|message| !message.is_empty()));
        return Err(messages);
    }
    let printed = requires.to_string();
    let tokens = printed.parse().expect("tokens again");
    let again = auth_grammar::requires(tokens, None, &mut errors);
    assert_eq!(errors.messages(), Vec::<String>::new(), "{printed}");
    assert_eq!(again.to_string(), printed);
    Ok(requires)
}

/// Returns whether every caller that meets `one` also meets `other`. A policy with too many alternatives to be
/// examined counts as if it did.
fn entails(one: &Requires, other: &Requires) -> bool {
    let (one, other) = (all(one), all(other));
    !check::entails(&one, &one) || check::entails(&one, &other)
}

fn all(requires: &Requires) -> ParsedRequirement {
    let parts = requires.clone().with_modules().requirements;
    ParsedRequirement::new(
        RequirementKind::All(parts),
        Span::call_site(),
        Span::call_site(),
    )
}
