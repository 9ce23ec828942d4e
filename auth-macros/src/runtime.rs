//! The path of the runtime.

use syn::Path;

/// Returns the path of the module with everything that an expansion names. `krate` is the path of the runtime, if it is
/// not `::auth_runtime`.
pub(crate) fn private(krate: Option<&Path>) -> Path {
    match krate {
        Some(krate) => syn::parse_quote!(#krate::__private1),
        None => syn::parse_quote!(::auth_runtime::__private1),
    }
}
