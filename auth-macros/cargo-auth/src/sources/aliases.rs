//! Policy attributes under another name.

use auth_grammar::attribute::policy_attribute_by_any_path;
use proc_macro2::{TokenStream, TokenTree};
use serde::Serialize;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, UseTree};

use super::expressions::segments_of;
use super::finding::{Finding, Place};
use super::names::Names;
use super::policy_attribute::policy_attribute;
use super::record::Sources;
use super::text::{as_written, named};

/// An attribute or an import under another name. Resolution decides whether it is a policy
/// attribute.
pub(super) struct PolicyAlias {
    pub(super) place: Place,
    pub(super) scope: usize,
    pub(super) path: Vec<String>,
    /// The name for messages.
    pub(super) shown: String,
}

/// A policy attribute in the tokens of a macro. Only its text is known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct MacroPolicy {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// The name of the macro.
    #[serde(rename = "macro")]
    pub(crate) name: String,
    /// The attribute and the beginning of its item, up to the parameters or the block.
    pub(crate) text: String,
}

/// Returns the policy attributes that neither an audit nor the attribute of an enclosing module
/// finds.
pub(super) fn findings(aliases: &[PolicyAlias], names: &Names) -> Vec<Finding> {
    let mut findings = Vec::new();
    for alias in aliases {
        let mut paths = names.resolve_macro(alias.scope, &alias.path).into_iter();
        let name = paths
            .find(|path| is_attribute(path))
            .and_then(|mut path| path.pop());
        if let Some(name) = name {
            let place = alias.place.clone();
            findings.push(Finding::renamed(place, &name, &alias.shown));
        }
    }
    findings
}

/// Removes the policies by attributes of other crates with these names, and returns their findings.
pub(super) fn remove_foreign(sources: &mut Sources) -> Vec<Finding> {
    let Sources { entries, names, .. } = sources;
    let mut findings = Vec::new();
    entries.retain(|entry| {
        let Some(attribute) = &entry.attribute else {
            return true;
        };
        let Some((krate, name)) = foreign(attribute.scope, &attribute.path, names) else {
            return true;
        };
        if entry.is_selected {
            let place = attribute.place.clone();
            findings.push(Finding::foreign(place, &name, &krate));
        }
        false
    });
    findings
}

/// Returns the crate and the name of an attribute, if it certainly belongs to another crate.
fn foreign(scope: usize, path: &[String], names: &Names) -> Option<(String, String)> {
    let mut paths = names.resolve_macro(scope, path).into_iter();
    paths.find_map(|path| match path.as_slice() {
        [krate, .., name] if !is_runtime(krate) => {
            let is_own = names.has_crate(krate);
            // A path in the workspace may end at a glob import of the runtime.
            (!is_own || path.len() == 2 && names.has_function(krate, name))
                .then(|| (krate.clone(), name.clone()))
        }
        _ => None,
    })
}

fn is_runtime(krate: &str) -> bool {
    matches!(krate, "auth_runtime" | "auth_macros")
}

pub(super) fn is_attribute(path: &[String]) -> bool {
    match path {
        [krate, name] => is_runtime(krate) && matches!(name.as_str(), "requires" | "public"),
        _ => false,
    }
}

/// Returns the imports that give a policy attribute another name.
pub(super) fn of_import(tree: &UseTree, file: &str, scope: usize) -> Vec<PolicyAlias> {
    let mut aliases = Vec::new();
    renamed(tree, &mut Vec::new(), &mut |path, name| {
        aliases.push(PolicyAlias {
            place: Place::of(file, name.span()),
            scope,
            path,
            shown: name.to_string(),
        });
    });
    aliases
}

fn renamed(tree: &UseTree, base: &mut Vec<String>, note: &mut impl FnMut(Vec<String>, &Ident)) {
    match tree {
        UseTree::Path(path) => {
            base.push(named(&path.ident));
            renamed(&path.tree, base, note);
            base.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                renamed(tree, base, note);
            }
        }
        UseTree::Rename(rename) => {
            let name = named(&rename.ident);
            if matches!(name.as_str(), "requires" | "public") {
                note([base.as_slice(), &[name]].concat(), &rename.rename);
            }
        }
        UseTree::Name(_) | UseTree::Glob(_) => {}
    }
}

/// Returns an attribute that may be a policy attribute under another name. A renamed import is
/// recorded at the import.
pub(super) fn of_attribute(attribute: &Attribute, file: &str, scope: usize) -> Option<PolicyAlias> {
    policy_attribute_by_any_path(attribute)?;
    if policy_attribute(attribute).is_some() {
        return None;
    }
    let path = segments_of(attribute.path());
    Some(PolicyAlias {
        place: Place::of(file, attribute.path().span()),
        scope,
        shown: path.join("::"),
        path,
    })
}

/// Returns the policy attributes in the tokens of a macro of that name.
pub(super) fn in_macro(name: &str, tokens: &TokenStream, file: &str) -> Vec<MacroPolicy> {
    let mut policies = Vec::new();
    let mut is_behind_hash = false;
    let mut rest = tokens.clone().into_iter();
    while let Some(token) = rest.next() {
        if let TokenTree::Group(group) = &token {
            if is_behind_hash && is_policy(group.stream()) {
                let item = beginning(rest.clone());
                policies.push(MacroPolicy {
                    place: Place::of(file, token.span()),
                    name: name.to_owned(),
                    text: format!("#{} {}", as_written(&token), as_written(&item)),
                });
            } else {
                policies.extend(in_macro(name, &group.stream(), file));
            }
        }
        is_behind_hash = is_punct(&token, '#');
    }
    policies
}

/// Returns the beginning of an item without its further attributes, up to its first group.
fn beginning(mut tokens: impl Iterator<Item = TokenTree>) -> TokenStream {
    let mut beginning = TokenStream::new();
    while let Some(token) = tokens.next() {
        if is_punct(&token, '#') {
            tokens.next();
        } else if is_punct(&token, ';') || matches!(token, TokenTree::Group(_)) {
            break;
        } else {
            beginning.extend([token]);
        }
    }
    beginning
}

/// Returns whether the tokens of an attribute in a macro are those of a policy, also in a
/// `cfg_attr`. A path may begin with `$crate`.
fn is_policy(attribute: TokenStream) -> bool {
    let tokens = attribute.into_iter().filter(|it| !is_punct(it, '$'));
    let path_and_rest = |input: ParseStream<'_>| {
        let path: syn::Path = input.parse()?;
        Ok((path, input.parse::<TokenStream>()?))
    };
    let Ok((path, rest)) = path_and_rest.parse2(tokens.collect()) else {
        return false;
    };
    let name = path.segments.last().map(|last| named(&last.ident));
    match name.as_deref() {
        Some("requires" | "public") => true,
        Some("cfg_attr") => rest.into_iter().any(|token| match token {
            TokenTree::Group(list) => {
                let parts: Vec<_> = list.stream().into_iter().collect();
                // The first one is the condition.
                let mut parts = parts.split(|token| is_punct(token, ',')).skip(1);
                parts.any(|part| is_policy(part.iter().cloned().collect()))
            }
            _ => false,
        }),
        _ => false,
    }
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}
