//! What the compiler gets: the item as it was written, and its policy as data.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Visibility};

use crate::args;
use crate::check;
use crate::errors::Errors;
use crate::item::{self, Handler, Item};
use crate::requirement::{Kind, Namespace, Requirement, Requires};

pub(crate) fn requires(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let requires = args::requires(arguments, &mut errors);
    check::requires(&requires, &mut errors);
    let caller = quote!(::auth_runtime::Identity);
    expand("requires", &policy(&requires), &caller, item, errors)
}

pub(crate) fn public(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let public = args::public(arguments, &mut errors);
    let reason = public.map(|public| public.reason).unwrap_or_default();
    let policy = quote!(::auth_runtime::Policy::public(#reason));
    let caller = quote!(::auth_runtime::__private::Anyone);
    expand("public", &policy, &caller, item, errors)
}

fn expand(
    attribute: &str,
    policy: &TokenStream,
    caller: &TokenStream,
    tokens: TokenStream,
    mut errors: Errors,
) -> TokenStream {
    let item = item::read(tokens.clone(), attribute, &mut errors);
    let mistakes = errors.to_compile_error();
    // A wrong attribute still leaves a handler with some policy: otherwise every use of it would
    // be reported as well. It grants nothing, and the build fails anyway.
    let policy = if errors.is_empty() {
        policy
    } else {
        &quote!(::auth_runtime::Policy::requires(
            ::auth_runtime::Requirement::any(&[])
        ))
    };
    match item {
        Some(Item::Handler(mut handler)) => {
            let name = handler.signature.ident.clone();
            let implementation = implement(&name, policy, caller, handler.writes_guard);
            let carrier = carrier(&name, &handler.visibility);
            handler.complete_guard();
            let Handler {
                attributes,
                visibility,
                signature,
                body,
                ..
            } = *handler;
            quote! {
                #mistakes
                #(#attributes)* #visibility #signature #body
                #carrier
                #implementation
            }
        }
        Some(Item::Struct(unit)) => {
            let implementation = implement(&unit.name, policy, caller, false);
            let unit = unit.tokens;
            quote!(#mistakes #unit #implementation)
        }
        Some(Item::Other(other)) => quote!(#mistakes #other),
        None => quote!(#mistakes #tokens),
    }
}

/// A type of the function's name. With braces it is a name for types only, so the two do not
/// collide, and `use` imports both.
fn carrier(name: &Ident, visibility: &Visibility) -> TokenStream {
    quote! {
        #[doc(hidden)]
        #[allow(
            dead_code,
            non_camel_case_types,
            unnameable_types,
            unreachable_pub,
            clippy::exhaustive_structs
        )]
        #visibility struct #name {}
    }
}

fn implement(
    name: &Ident,
    policy: &TokenStream,
    caller: &TokenStream,
    uses_guard: bool,
) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::auth_runtime::__private::HasPolicy for #name {
            type Caller = #caller;
            const POLICY: ::auth_runtime::Policy = #policy;
            const USES_GUARD: bool = #uses_guard;
        }
        #[automatically_derived]
        impl ::auth_runtime::__private::Declared for #name {}
    }
}

fn policy(requires: &Requires) -> TokenStream {
    let requirement = match requires.requirements.as_slice() {
        [only] => expression(only),
        several => {
            let parts = several.iter().map(expression);
            quote!(::auth_runtime::Requirement::all(&[#(#parts),*]))
        }
    };
    let hide_as = requires
        .hide_as
        .as_ref()
        .map(|_| quote!(.hide_as_not_found()));
    let hide_unless = requires.hide_unless.as_ref().map(|hide_unless| {
        let lesser = expression(&hide_unless.lesser);
        quote!(.hide_unless(#lesser))
    });
    quote!(::auth_runtime::Policy::requires(#requirement) #hide_as #hide_unless)
}

fn expression(requirement: &Requirement) -> TokenStream {
    let list = |parts: &[Requirement]| {
        let parts = parts.iter().map(expression);
        quote!(&[#(#parts),*])
    };
    let call = match &requirement.kind {
        Kind::Authenticated => quote!(authenticated()),
        Kind::Named(namespace, name) => {
            let name = &name.text;
            match namespace {
                Namespace::Scope => quote!(scope(#name)),
                Namespace::Role => quote!(role(#name)),
                Namespace::Permission => quote!(permission(#name)),
            }
        }
        Kind::All(parts) => {
            let parts = list(parts);
            quote!(all(#parts))
        }
        Kind::Any(parts) => {
            let parts = list(parts);
            quote!(any(#parts))
        }
    };
    quote!(::auth_runtime::Requirement::#call)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(arguments: &str, item: &str) -> String {
        let [arguments, item] = [arguments, item].map(|text| text.parse().expect("tokens"));
        let tokens = requires(arguments, item);
        syn::parse2::<syn::File>(tokens.clone()).expect("items");
        tokens.to_string().replace(' ', "")
    }

    #[test]
    fn a_policy_is_data() {
        const R: &str = "::auth_runtime::Requirement::";
        for (arguments, policy) in [
            ("authenticated", format!("requires({R}authenticated())")),
            (
                r#"scope = "a", role = "b", hide_as = 404"#,
                format!(r#"requires({R}all(&[{R}scope("a"),{R}role("b")])).hide_as_not_found()"#),
            ),
            (
                r#"any(role = "a", permission = "b"), hide_as = 404, hide_unless = scope("c")"#,
                format!(
                    r#"requires({R}any(&[{R}role("a"),{R}permission("b")])).hide_as_not_found().hide_unless({R}scope("c"))"#
                ),
            ),
        ] {
            let expanded = expanded(arguments, "async fn f() {}");
            let expected = format!(
                "::auth_runtime::Policy={}{policy};",
                "::auth_runtime::Policy::"
            );
            assert!(expanded.contains(&expected), "{arguments}: {expanded}");
        }
    }

    #[test]
    fn a_mistake_still_leaves_a_handler_with_a_policy_that_grants_nothing() {
        for (arguments, item) in [
            (r#"scop = "a""#, "async fn f() {}"),
            (r#"scope = "a b""#, "async fn f(guard: Guard) {}"),
            (r#"scope = "a""#, "fn f() {}"),
            ("", "struct F;"),
        ] {
            let expanded = expanded(arguments, item);
            for part in ["compile_error!", "HasPolicyfor", "any(&[])"] {
                assert!(expanded.contains(part), "{arguments}: {part}: {expanded}");
            }
        }
    }

    #[test]
    fn what_can_carry_no_policy_is_left_as_it_was() {
        let expanded = expanded("authenticated", "enum F { A }");
        assert!(expanded.contains("compile_error!"), "{expanded}");
        assert!(expanded.ends_with("enumF{A}"), "{expanded}");
        assert!(!expanded.contains("HasPolicy"), "{expanded}");
    }
}
