//! Parses an arbitrary attribute. If it is accepted, its printed form has the same meaning. If
//! there are several lines, the first is the policy of an enclosing module.
#![no_main]

use auth_grammar::check;
use auth_grammar::errors::Errors;
use auth_grammar::requirement::{Kind, ParsedRequirement, Requires};
use libfuzzer_sys::fuzz_target;
use proc_macro2::{Span, TokenStream};

fuzz_target!(|text: &str| {
    let (around, inner) = text.split_once('\n').unwrap_or(("", text));
    let (Some(around), Some(inner)) = (tokens(around), tokens(inner)) else {
        return;
    };
    let (Some(module), Some(own)) = (understood(&around), understood(&inner)) else {
        return;
    };
    let within = |own: TokenStream| {
        let mut errors = Errors::default();
        let both = auth_grammar::within(vec![around.clone()], own, None, &mut errors);
        errors.is_empty().then(|| both.with_modules())
    };
    // An addition to a policy only restricts it, and a loosening policy allows further callers.
    if let Some(added) = within(inner.clone()) {
        assert!(entails(&added, &module), "{text}");
        assert!(entails(&added, &own), "{text}");
    }
    let Some(loosening) = tokens(&format!("{inner}, loosen = \"x\"")) else {
        return;
    };
    if let Some(loosened) = within(loosening) {
        assert!(!check::entails(&all(&loosened), &all(&module)), "{text}");
        let is_hidden = module.hide_as.is_some() || own.hide_as.is_some();
        assert_eq!(loosened.hide_as.is_some(), is_hidden, "{text}");
    }
});

/// The compiler itself rejects text that does not consist of tokens.
fn tokens(text: &str) -> Option<TokenStream> {
    text.parse().ok()
}

/// Returns the policy of a valid attribute.
fn understood(arguments: &TokenStream) -> Option<Requires> {
    let mut errors = Errors::default();
    let requires = auth_grammar::requires(arguments.clone(), None, &mut errors);
    if !errors.is_empty() {
        let messages = errors.messages();
        assert!(messages.iter().all(|message| !message.is_empty()));
        return None;
    }
    let printed = requires.to_string();
    let tokens = printed.parse().expect("tokens again");
    let again = auth_grammar::requires(tokens, None, &mut errors);
    assert_eq!(errors.messages(), Vec::<String>::new(), "{printed}");
    assert_eq!(again.to_string(), printed);
    Some(requires)
}

/// Returns whether every caller that meets `one` also meets `other`. A policy with too many
/// alternatives to be examined counts as if it did.
fn entails(one: &Requires, other: &Requires) -> bool {
    let (one, other) = (all(one), all(other));
    !check::entails(&one, &one) || check::entails(&one, &other)
}

fn all(requires: &Requires) -> ParsedRequirement {
    let parts = requires.clone().with_modules().requirements;
    ParsedRequirement::new(Kind::All(parts), Span::call_site(), Span::call_site())
}
