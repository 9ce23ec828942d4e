//! Checks of the attribute of a module.

use syn::Path;
use syn::spanned::Spanned;

use crate::codes;
use crate::errors::Errors;
use crate::requirement::{Function, Requires};

/// Records mistakes that are valid on a handler, and invalid on a module: relative paths of functions and of
/// the runtime. Each handler in the module resolves such a path from its own place; a relative path could lead
/// to different functions. The name of a crate leads to the same one from every place.
pub(crate) fn module(requires: &Requires, errors: &mut Errors) {
    if let Some(krate) = requires.krate.as_ref().filter(|krate| is_from_here(krate)) {
        errors.add(
            codes::RELATIVE_PATH,
            krate.span(),
            format!(
                "the path of `auth_runtime` on a module is not absolute\n\
                 help: write `crate = crate::...::{}`",
                end_of(krate)
            ),
        );
    }
    for (key, function) in functions(requires) {
        if !is_absolute(function) {
            errors.add(
                codes::RELATIVE_PATH,
                function.0.span(),
                format!(
                    "the path of a function on a module is not absolute\n\
                     help: write `{key} = crate::...::{}`",
                    end_of(&function.0)
                ),
            );
        }
    }
}

/// Returns the functions in the attribute of a module, with their keys.
fn functions(requires: &Requires) -> impl Iterator<Item = (&'static str, &Function)> {
    // The default object is that of the handlers. It may have been placed already.
    let idle = requires.idle_on.iter();
    let idle = idle.filter_map(|idle| idle.resource.as_ref());
    let default = requires.resource.iter().chain(idle);
    let default = default.map(|function| ("resource", function));
    requires.functions().into_iter().chain(default)
}

/// Returns whether the attribute of an enclosing module is invalid. That is reported at the module,
/// and the module hands nothing down.
pub(super) fn is_module_wrong(requires: &Requires) -> bool {
    requires.module.as_deref().is_some_and(|module| {
        module.requirements.is_empty() && module.module.is_none() || is_module_wrong(module)
    })
}

/// The first function of an attribute that is named by a relative path: its key, and the path as it should
/// be written.
pub(crate) fn relative_function(requires: &Requires) -> Option<(&'static str, String)> {
    let mut functions = functions(requires);
    let (key, function) = functions.find(|(_, function)| !is_absolute(function))?;
    Some((key, end_of(&function.0)))
}

fn is_absolute(Function(path): &Function) -> bool {
    let first = path.segments.first();
    let is_crate = first.is_some_and(|first| first.ident == "crate" || first.ident == "$crate");
    path.leading_colon.is_some() || is_crate
}

/// Returns whether a path begins with `self` or `super`.
pub(crate) fn is_from_here(path: &Path) -> bool {
    let first = path.segments.first();
    first.is_some_and(|first| first.ident == "self" || first.ident == "super")
}

/// Returns the path without leading `self` and `super`.
fn end_of(path: &Path) -> String {
    let segments = path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string());
    let named = segments.skip_while(|segment| segment == "self" || segment == "super");
    named.collect::<Vec<_>>().join("::")
}
