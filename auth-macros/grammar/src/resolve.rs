//! The names in an attribute, looked up in the vocabulary: each is declared, and stands for all that
//! imply it.

use proc_macro2::{Span, TokenStream};

use crate::args;
use crate::check;
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{Kind, Name, Network, Requirement, Requires};
use crate::vocabulary::{Vocabulary, implying, undeclared};

/// Where names are looked up.
#[derive(Clone, Copy)]
pub(crate) struct Dictionary<'v> {
    /// `None`: the crate has none, so every name will do.
    pub(crate) vocabulary: Option<&'v Vocabulary>,
    /// The file, as the user would name it.
    pub(crate) shown: &'v str,
}

/// Notes every name that is not declared, and fills in what the declared ones stand for.
pub(crate) fn requires(requires: &mut Requires, dictionary: Dictionary<'_>, errors: &mut Errors) {
    if let Some(module) = &mut requires.module {
        self::requires(module, dictionary, errors);
    }
    let mut display = Vec::new();
    let lesser = requires.hide_unless.as_mut().map(|hide| &mut hide.lesser);
    for part in requires.requirements.iter_mut().chain(lesser) {
        if let Kind::Policy(name) = &part.kind
            && let Some(policy) = policy(name, dictionary, errors)
        {
            display.push(policy);
        }
        requirement(part, dictionary, errors);
    }
    // How denials are shown is the policy's to say, unless the attribute says something else.
    for policy in display {
        requires.hide_as = requires.hide_as.take().or(policy.hide_as);
        requires.hide_unless = requires.hide_unless.take().or(policy.hide_unless);
        requires.schemes = requires.schemes.take().or(policy.schemes);
        requires.realm = requires.realm.take().or(policy.realm);
    }
}

fn requirement(requirement: &mut Requirement, dictionary: Dictionary<'_>, errors: &mut Errors) {
    match &mut requirement.kind {
        Kind::Named(namespace, name) => {
            let terms = dictionary.vocabulary.and_then(|own| own.terms(*namespace));
            let Some(terms) = terms else { return };
            if terms.contains_key(&name.text) {
                name.broader = implying(terms, &name.text);
            } else if check::name_problem(*namespace, &name.text).is_none() {
                let declared: Vec<&str> = terms.keys().map(String::as_str).collect();
                let message = undeclared(namespace.key(), &name.text, &declared, dictionary.shown);
                errors.add(codes::UNDECLARED, name.span, message);
            }
        }
        Kind::Network(network) => self::network(network, dictionary, errors),
        Kind::Policy(name) => {
            let Some(policy) = policy(name, dictionary, &mut Errors::default()) else {
                return;
            };
            requirement.policy = Some(name.text.clone());
            let mut parts = policy.requirements;
            requirement.kind = match (parts.pop(), parts.is_empty()) {
                (Some(only), true) => only.kind,
                (last, _) => {
                    parts.extend(last);
                    Kind::All(parts)
                }
            };
        }
        Kind::All(parts) | Kind::Any(parts) => {
            for part in parts {
                if let Kind::Policy(name) = &part.kind {
                    alternative(name, dictionary, errors);
                }
                self::requirement(part, dictionary, errors);
            }
        }
        Kind::Authenticated | Kind::SenderConstrained | Kind::MaxAge(_) | Kind::Check(_) => {}
    }
}

/// A name stands for its blocks; a block stands for itself.
fn network(network: &mut Network, dictionary: Dictionary<'_>, errors: &mut Errors) {
    if !network.blocks.is_empty() {
        return;
    }
    let Some(vocabulary) = dictionary.vocabulary else {
        errors.add(
            codes::NETWORK,
            network.span,
            format!(
                "{:?} is no block of addresses, such as `\"10.0.0.0/8\"` or `\"2001:db8::/32\"`; to \
                 give a network a name, declare it below `[networks]` in an `auth.toml` beside the \
                 `Cargo.toml`",
                network.text
            ),
        );
        return;
    };
    match vocabulary.networks.get(&network.text) {
        Some(blocks) => network.blocks.clone_from(blocks),
        None => {
            let declared: Vec<&str> = vocabulary.networks.keys().map(String::as_str).collect();
            let message = undeclared("network", &network.text, &declared, dictionary.shown);
            errors.add(codes::UNDECLARED, network.span, message);
        }
    }
}

/// A policy in a list cannot say how the denials of the whole are shown.
fn alternative(name: &Name, dictionary: Dictionary<'_>, errors: &mut Errors) {
    let Some(policy) = policy(name, dictionary, errors) else {
        return;
    };
    let has_display =
        policy.hide_as.is_some() || policy.schemes.is_some() || policy.realm.is_some();
    if has_display {
        errors.add(
            codes::POLICY_IN_LIST,
            name.span,
            format!(
                "the policy `{}` also says how denials are shown, which only the whole attribute can; \
                 write it outside of `any(...)` and `all(...)`",
                name.text
            ),
        );
    }
}

/// What a policy of the vocabulary requires, all of it at the place of its name.
fn policy(name: &Name, dictionary: Dictionary<'_>, errors: &mut Errors) -> Option<Requires> {
    let Some(vocabulary) = dictionary.vocabulary else {
        errors.add(
            codes::NO_VOCABULARY,
            name.span,
            format!(
                "the policy `{}` is not declared: there is no `auth.toml` beside the `Cargo.toml`, or \
                 in a folder above it; create one with `[policies.{}]`",
                name.text, name.text
            ),
        );
        return None;
    };
    let Some(text) = vocabulary.policies.get(&name.text) else {
        let declared: Vec<&str> = vocabulary.policies.keys().map(String::as_str).collect();
        let message = undeclared("policy", &name.text, &declared, dictionary.shown);
        errors.add(codes::UNDECLARED, name.span, message);
        return None;
    };
    // It was found to be right when the vocabulary was read.
    let tokens = respanned(text.parse().ok()?, name.span);
    let mut requires = args::requires(tokens, &mut Errors::default());
    self::requires(&mut requires, dictionary, &mut Errors::default());
    Some(requires)
}

fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let proc_macro2::TokenTree::Group(group) = &token {
                let inner = respanned(group.stream(), span);
                token = proc_macro2::Group::new(group.delimiter(), inner).into();
            }
            token.set_span(span);
            token
        })
        .collect()
}
