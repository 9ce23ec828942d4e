//! Checks of the attribute of a module.

use syn::spanned::Spanned;

use crate::codes;
use crate::errors::Errors;
use crate::requirement::{Function, Kind, ParsedRequirement, Requires};

/// Records mistakes that are valid on a handler, and invalid on a module.
pub fn module(requires: &Requires, errors: &mut Errors) {
    for part in &requires.requirements {
        checks(part, errors);
    }
    if let Some(hide_unless) = &requires.hide_unless {
        checks(&hide_unless.lesser, errors);
    }
}

/// Records relative paths of checks. Each handler in the module resolves the path of a check from
/// its own place; a relative path could lead to different functions.
fn checks(requirement: &ParsedRequirement, errors: &mut Errors) {
    match &requirement.kind {
        Kind::Check(function) if !is_absolute(function) => errors.add(
            codes::RELATIVE_CHECK,
            function.0.span(),
            format!(
                "the path of a check on a module is not absolute\n\
                 help: write `check = crate::...::{}`",
                end_of(function)
            ),
        ),
        Kind::All(parts) | Kind::Any(parts) => {
            for part in parts {
                checks(part, errors);
            }
        }
        _ => {}
    }
}

/// Returns whether the attribute of an enclosing module is invalid. That is reported at the module,
/// and the module hands nothing down.
pub(super) fn is_module_wrong(requires: &Requires) -> bool {
    requires.module.as_deref().is_some_and(|module| {
        module.requirements.is_empty() && module.module.is_none() || is_module_wrong(module)
    })
}

/// The first check of a requirement that is named by a relative path, as it should be written.
pub(crate) fn relative_check(requirement: &ParsedRequirement) -> Option<String> {
    match &requirement.kind {
        Kind::Check(function) if !is_absolute(function) => Some(end_of(function)),
        Kind::All(parts) | Kind::Any(parts) => parts.iter().find_map(relative_check),
        _ => None,
    }
}

fn is_absolute(Function(path): &Function) -> bool {
    let first = path.segments.first();
    let is_crate = first.is_some_and(|first| first.ident == "crate" || first.ident == "$crate");
    path.leading_colon.is_some() || is_crate
}

/// Returns the path without leading `self` and `super`.
fn end_of(Function(path): &Function) -> String {
    let segments = path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string());
    let named = segments.skip_while(|segment| segment == "self" || segment == "super");
    named.collect::<Vec<_>>().join("::")
}
