//! What the compiler gets: the item as it was written, and its policy as data.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Visibility};

use crate::args::{self, Kind, Namespace, Requirement, Requires};
use crate::check;
use crate::errors::Errors;
use crate::item::{self, Handler, Item};

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
        None => quote!(#mistakes #tokens),
    }
}

/// A type of the function's name. With braces it is a name for types only, so the two do not
/// collide, and `use` imports both.
fn carrier(name: &Ident, visibility: &Visibility) -> TokenStream {
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types, unnameable_types, unreachable_pub)]
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
