//! The guard of a handler.

use auth_grammar::item::{Handler, guard, policy_type};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{FnArg, Path, PathArguments, Signature, Type, TypePath};

/// The maximum number of parameters that clippy accepts by default.
const MAX_PARAMETERS: usize = 7;

/// Returns an attribute if only an added guard exceeds the number of parameters that clippy accepts.
pub(crate) fn allowance(handler: &Handler, is_added: bool) -> Option<TokenStream> {
    let is_allowed = is_added && handler.signature.inputs.len() == MAX_PARAMETERS;
    is_allowed
        .then(|| quote!(#[allow(clippy::too_many_arguments, reason = "one of them is the guard")]))
}

/// Returns the signature with a completed guard, which is added as the first parameter if there is
/// none, and the type of a guard that is written. `runtime` is the path of the module that
/// expansions name.
pub(crate) fn completed(
    handler: &Handler,
    krate: Option<&Path>,
    runtime: &Path,
) -> (Signature, Option<TypePath>) {
    let mut signature = handler.signature.clone();
    let policy_type = policy_type(&signature.ident);
    if let Some(first) = signature.inputs.first_mut()
        && let Some(path) = guard(first, krate)
    {
        let mut path = path.clone();
        if let Some(guard) = path.path.segments.last_mut() {
            // The compiler reports another type of this name here, and not at the attribute.
            let span = Span::mixed_site().located_at(guard.ident.span());
            let arguments = syn::parse_quote_spanned!(span=> <#policy_type>);
            guard.arguments = PathArguments::AngleBracketed(arguments);
        }
        if let FnArg::Typed(parameter) = first {
            *parameter.ty = Type::Path(path.clone());
        }
        return (signature, Some(path));
    }
    let guard = syn::parse_quote_spanned!(Span::mixed_site() => _: #runtime::Guard<#policy_type>);
    signature.inputs.insert(0, guard);
    (signature, None)
}

#[cfg(test)]
mod tests {
    use auth_grammar::errors::Errors;
    use auth_grammar::item::{self, Item};

    use super::*;
    use crate::runtime::private;

    #[test]
    fn added_guards_exceed_no_parameter_limit() {
        for (guard, count, is_allowed) in [
            ("", 6, false),
            ("", 7, true),
            ("", 8, false),
            ("guard: Guard, ", 6, false),
            ("guard: Guard, ", 7, false),
        ] {
            let written = format!("async fn f({guard}{}) {{}}", "x: u8, ".repeat(count));
            let tokens = written.parse().expect("tokens");
            let item = item::read(tokens, "requires", None, &mut Errors::default());
            let Item::Handler(handler) = item else {
                panic!("{written}");
            };
            let is_added = completed(&handler, None, &private(None)).1.is_none();
            let allowance = allowance(&handler, is_added);
            assert_eq!(allowance.is_some(), is_allowed, "{written}");
        }
    }

    #[test]
    fn the_first_parameter_is_the_guard() {
        for (written, expected) in [
            (
                "async fn f() {}",
                "_ : :: auth_runtime :: __private1 :: Guard < policy_of_f >",
            ),
            (
                "async fn f(guard: Guard) {}",
                "guard : Guard < policy_of_f >",
            ),
            (
                "async fn f(mut g: auth_runtime::Guard, x: u8) {}",
                "mut g : auth_runtime :: Guard < policy_of_f > , x : u8",
            ),
            (
                "pub async fn f<T: Clone>(x: T) where T: Send {}",
                "_ : :: auth_runtime :: __private1 :: Guard < policy_of_f > , x : T",
            ),
            (
                "async fn r#type(guard: Guard) {}",
                "guard : Guard < policy_of_type >",
            ),
            // Wrong, and completed all the same, so that nothing else is reported.
            (
                "async fn f(guard: Guard<u8>) {}",
                "guard : Guard < policy_of_f >",
            ),
        ] {
            let tokens = written.parse().expect("tokens");
            let item = item::read(tokens, "requires", None, &mut Errors::default());
            let Item::Handler(handler) = item else {
                panic!("{written}");
            };
            let inputs = completed(&handler, None, &private(None)).0.inputs;
            assert_eq!(quote!(#inputs).to_string(), expected, "{written}");
        }
    }
}
