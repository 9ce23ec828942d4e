//! Policy attributes that a text search misses, and attributes that it takes for policies.

use auth_grammar::attribute::{policy_attribute_by_any_path, refuse_conditional_policy};
use auth_grammar::errors::Errors;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, UseTree};

use super::expressions::segments_of;
use super::finding::{Finding, Place};
use super::names::Names;
use super::policy_alias::{HiddenBy, PolicyAlias};
use super::policy_attribute::{is_attribute, is_runtime, policy_attribute};
use super::record::Sources;
use super::text::named;

/// Returns the policy attributes that neither an audit nor the attribute of an enclosing module
/// finds.
pub(super) fn findings(aliases: &[PolicyAlias], names: &Names) -> Vec<Finding> {
    let mut findings = Vec::new();
    for alias in aliases {
        let (scope, place) = (alias.scope, alias.place.clone());
        let mut paths = names.resolve_macro(scope, &alias.path).into_iter();
        let name = paths
            .find(|path| is_attribute(path))
            .and_then(|mut path| path.pop());
        // A macro may be called where its names have another meaning.
        let may_be_ours = foreign(scope, &alias.path, names).is_none();
        match (alias.hidden_by, name) {
            (HiddenBy::Name, Some(name)) => {
                findings.push(Finding::renamed(place, &name, &alias.shown));
            }
            // A macro such as `vec!` may take a handler of that name.
            (HiddenBy::Argument, Some(name)) => {
                let values = names.resolve(scope, &alias.path);
                if values.iter().all(|path| is_attribute(path)) {
                    findings.push(Finding::passed(place, &name));
                }
            }
            (HiddenBy::Spelling, _) if may_be_ours => {
                findings.push(Finding::hidden(place, &alias.shown));
            }
            (HiddenBy::Condition, _) if may_be_ours => {
                let mut errors = Errors::default();
                refuse_conditional_policy(Span::call_site(), &mut errors);
                let errors = errors.into_iter();
                findings.extend(errors.map(|error| Finding::of(&error, &place)));
            }
            _ => {}
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

/// Returns the crate and the name of an attribute, if its import names another crate. That crate may
/// re-export the runtime's.
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

/// Returns the imports that give a policy attribute another name.
pub(super) fn of_import(tree: &UseTree, file: &str, scope: usize) -> Vec<PolicyAlias> {
    let mut aliases = Vec::new();
    renamed(tree, &mut Vec::new(), &mut |path, name| {
        aliases.push(PolicyAlias {
            place: Place::of(file, name.span()),
            scope,
            path,
            shown: name.to_string(),
            hidden_by: HiddenBy::Name,
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
        hidden_by: HiddenBy::Name,
    })
}
