//! Recognition of policy attributes among others, and of positions where they are not expanded.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Ident, Meta};

use crate::codes;
use crate::errors::Errors;
use crate::tokens::{between_commas, flattened};

/// Returns the policy attribute that an attribute is, if it is written by a known path.
pub fn policy_attribute(attribute: &Attribute) -> Option<&'static str> {
    let path = attribute.path();
    let ours = match path.segments.len() {
        1 => true,
        2 => path
            .segments
            .first()
            .is_some_and(|krate| krate.ident == "auth_runtime"),
        _ => false,
    };
    policy_attribute_by_any_path(attribute).filter(|_| ours)
}

/// Returns the policy attribute with the name of this attribute, by any path. It may belong
/// to another crate.
pub fn policy_attribute_by_any_path(attribute: &Attribute) -> Option<&'static str> {
    let last = attribute.path().segments.last()?;
    ours(&last.ident.to_string())
}

/// Returns the place of a policy attribute in a `cfg_attr`, by any path.
pub fn policy_in_cfg_attr(attribute: &Attribute) -> Option<Span> {
    let is_conditional = attribute.path().is_ident("cfg_attr");
    let list = attribute.meta.require_list().ok()?;
    is_conditional.then(|| conditional_policy(list.tokens.clone(), &[]))?
}

/// Records a policy attribute in a `cfg_attr`.
pub fn refuse_conditional_policy(span: Span, errors: &mut Errors) {
    errors.add(
        codes::CONDITIONAL,
        span,
        "a policy in `cfg_attr` depends on the build configuration\n\
         help: write the attribute itself, or two handlers, each with its `#[cfg(...)]` and its \
         policy",
    );
}

/// Returns the mark that a module with a policy leaves on each item without it. A policy attribute
/// that is on the item under another name finds the mark. The compiler ignores it.
///
/// The mark has to remain until the attribute runs: `cfg_attr` is gone by then, a tool attribute is
/// not.
pub(crate) fn left_out() -> Attribute {
    syn::parse_quote!(#[rust_analyzer::auth_runtime_left_out])
}

/// Returns whether an attribute is that mark.
pub(crate) fn is_left_out(attribute: &Attribute) -> bool {
    let segments = attribute.path().segments.iter();
    segments
        .map(|segment| segment.ident.to_string())
        .eq(["rust_analyzer", "auth_runtime_left_out"])
}

/// The attributes that are built into the compiler. An import of that name is ambiguous; therefore none of
/// them is a policy attribute.
const INERT: [&str; 14] = [
    "allow",
    "cfg",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "non_exhaustive",
    "repr",
    "track_caller",
    "warn",
];

/// Returns whether an attribute depends on the build configuration, or makes its subject depend on it.
pub(crate) fn is_conditional(attribute: &Attribute) -> bool {
    let path = attribute.path();
    path.is_ident("cfg") || path.is_ident("cfg_attr")
}

/// Returns whether an attribute is built into the compiler.
pub(crate) fn is_inert(attribute: &Attribute) -> bool {
    INERT.iter().any(|inert| attribute.path().is_ident(inert))
}

/// Puts the mark on each function, struct and module within an item that has an attribute of unknown
/// meaning; `None` if there is none. Tokens that are passed to a macro stay as they are.
pub(crate) fn with_left_out(tokens: &TokenStream) -> Option<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut marked = Vec::with_capacity(tokens.len());
    let mut is_changed = false;
    let mut rest = tokens.as_slice();
    while let Some((first, others)) = rest.split_first() {
        if let Some((attribute, after)) = split_attribute(rest) {
            let mut is_known = is_inert_within(&attribute);
            let mut after = after;
            while let Some((attribute, next)) = split_attribute(after) {
                is_known &= is_inert_within(&attribute);
                after = next;
            }
            let attributes = rest.get(..rest.len() - after.len()).unwrap_or_default();
            marked.extend_from_slice(attributes);
            if !is_known && begins_item(after) {
                marked.extend(left_out().into_token_stream());
                is_changed = true;
            }
            rest = after;
            continue;
        }
        let token = match first {
            TokenTree::Group(group) if !is_of_macro(&marked) => {
                with_left_out(&group.stream()).map(|inner| {
                    let mut marked = Group::new(group.delimiter(), inner);
                    marked.set_span(group.span());
                    marked.into()
                })
            }
            _ => None,
        };
        is_changed |= token.is_some();
        marked.push(token.unwrap_or_else(|| first.clone()));
        rest = others;
    }
    is_changed.then(|| marked.into_iter().collect())
}

/// Splits off an outer attribute: the tokens in its brackets, and the rest.
fn split_attribute(tokens: &[TokenTree]) -> Option<(TokenStream, &[TokenTree])> {
    match tokens {
        [
            TokenTree::Punct(hash),
            TokenTree::Group(brackets),
            rest @ ..,
        ] if hash.as_char() == '#' && brackets.delimiter() == Delimiter::Bracket => {
            Some((brackets.stream(), rest))
        }
        _ => None,
    }
}

/// Returns whether the tokens in the brackets of an attribute are one that is built into the compiler.
fn is_inert_within(attribute: &TokenStream) -> bool {
    let mut tokens = flattened(attribute.clone()).into_iter();
    let (name, next) = (tokens.next(), tokens.next());
    let is_path = matches!(next, Some(TokenTree::Punct(colon)) if colon.as_char() == ':');
    let is_inert = |name: &TokenTree| INERT.contains(&name.to_string().as_str());
    !is_path && name.as_ref().is_some_and(is_inert)
}

/// Returns whether a function, a struct or a module begins with these tokens.
fn begins_item(tokens: &[TokenTree]) -> bool {
    const BEFORE: [&str; 6] = ["pub", "async", "const", "unsafe", "safe", "extern"];
    let first = tokens.iter().find(|token| match token {
        TokenTree::Ident(word) => !BEFORE.iter().any(|before| word == before),
        // Of a visibility, and of `extern`.
        TokenTree::Group(group) => {
            !matches!(group.delimiter(), Delimiter::Parenthesis | Delimiter::None)
        }
        TokenTree::Literal(_) => false,
        TokenTree::Punct(_) => true,
    });
    matches!(first, Some(TokenTree::Ident(word)) if ["fn", "struct", "mod"].iter().any(|it| word == it))
}

/// Returns whether the group after these tokens is passed to a macro: `name!`, or `macro_rules! name`.
fn is_of_macro(before: &[TokenTree]) -> bool {
    let is_bang =
        |token: &TokenTree| matches!(token, TokenTree::Punct(bang) if bang.as_char() == '!');
    // The operator `!` may stand after a keyword.
    let is_name = |token: &TokenTree| syn::parse2::<Ident>(token.clone().into()).is_ok();
    match before {
        [.., name, bang] if is_bang(bang) => is_name(name),
        [.., rules, bang, _] if is_bang(bang) => rules.to_string() == "macro_rules",
        _ => false,
    }
}

/// Collects the names that imports in these tokens give to policy attributes: `use
/// auth_runtime::requires as needs`.
pub(crate) fn renamed(tokens: TokenStream, names: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for token in &tokens {
        if let TokenTree::Group(group) = token {
            renamed(group.stream(), names);
        }
    }
    for window in tokens.windows(3) {
        if let [
            TokenTree::Ident(own),
            TokenTree::Ident(word),
            TokenTree::Ident(name),
        ] = window
            && word == "as"
            && ours(&own.to_string()).is_some()
        {
            names.push(name.to_string());
        }
    }
}

/// Returns the place of a policy attribute in `tokens`, by its own name or by one of `others`.
pub(crate) fn policy_within(tokens: TokenStream, others: &[String]) -> Option<Span> {
    let mut after_hash = false;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                after_hash = true;
                continue;
            }
            TokenTree::Punct(punct) if punct.as_char() == '!' && after_hash => continue,
            TokenTree::Group(group) => {
                let found = if after_hash && group.delimiter() == Delimiter::Bracket {
                    policy_in(group.stream(), others)
                } else {
                    policy_within(group.stream(), others)
                };
                if found.is_some() {
                    return found;
                }
            }
            _ => {}
        }
        after_hash = false;
    }
    None
}

/// Returns the place of a policy attribute, given the tokens in the brackets of an attribute.
fn policy_in(attribute: TokenStream, others: &[String]) -> Option<Span> {
    let mut last = None;
    for token in flattened(attribute) {
        match token {
            TokenTree::Ident(ident) => last = Some(ident),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            TokenTree::Group(group) if last.as_ref().is_some_and(|last| last == "cfg_attr") => {
                return conditional_policy(group.stream(), others);
            }
            _ => break,
        }
    }
    let last = last?;
    let name = last.to_string();
    (ours(&name).is_some() || others.contains(&name)).then(|| last.span())
}

/// Returns the place of a policy attribute after the condition of a `cfg_attr`.
fn conditional_policy(arguments: TokenStream, others: &[String]) -> Option<Span> {
    let mut attributes = between_commas(flattened(arguments)).into_iter().skip(1);
    attributes.find_map(|attribute| policy_in(attribute, others))
}

/// Returns whether an attribute marks an item as a test: `#[tokio::test]`, `#[cfg(test)]`,
/// `#[cfg(all(test, unix))]`. A policy attribute may be imported under a name of the first kind.
pub fn is_test(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last();
    is_built_for_tests(attribute) || last.is_some_and(|segment| segment.ident == "test")
}

/// Returns whether an attribute compiles an item for tests only.
pub(crate) fn is_built_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && asks_for_test(list.tokens.clone()),
        _ => false,
    }
}

/// Returns whether a condition of `cfg` holds for tests only.
fn asks_for_test(condition: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = flattened(condition).into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(test)] => test == "test",
        [TokenTree::Ident(all), TokenTree::Group(group)] if all == "all" => {
            let mut parts = between_commas(flattened(group.stream())).into_iter();
            parts.any(asks_for_test)
        }
        _ => false,
    }
}

fn ours(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("r#").unwrap_or(name);
    ["requires", "public"].into_iter().find(|own| *own == name)
}
