//! The path of the runtime.

use syn::Path;

/// Returns the path of the runtime: the given one, or the default.
pub(crate) fn public(krate: Option<&Path>) -> Path {
    krate
        .cloned()
        .unwrap_or_else(|| syn::parse_quote!(::auth_runtime))
}

/// Returns the path of the module with everything that an expansion names.
pub(crate) fn private(krate: Option<&Path>) -> Path {
    let krate = public(krate);
    syn::parse_quote!(#krate::__private1)
}
