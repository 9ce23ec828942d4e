//! A module whose handlers were given its policy.

use auth_grammar::codes;
use auth_grammar::module::{Item, Kind, Module};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

/// Attributes after which a unit struct is what it was before, and carries no policy.
const INERT: [&str; 12] = [
    "allow",
    "cfg",
    "deny",
    "deprecated",
    "derive",
    "doc",
    "expect",
    "forbid",
    "must_use",
    "non_exhaustive",
    "repr",
    "warn",
];

/// The module, with a proof for each struct that the policy may not have reached.
pub(crate) fn expand(mut module: Module) -> TokenStream {
    let proofs: Vec<_> = module.items.iter().filter_map(proof_of_no_policy).collect();
    for proof in proofs {
        module.append(proof);
    }
    module.into_token_stream()
}

/// A unit struct gets no policy from its module. If an attribute gives it one all the same, it is ours by
/// a name that cannot be seen through, and lacks the module's.
fn proof_of_no_policy(item: &Item) -> Option<TokenStream> {
    let Kind::UnitStruct(name) = &item.kind else {
        return None;
    };
    if item.has_policy() || item.is_test() {
        return None;
    }
    let mut attributes = item.attributes.iter();
    let doubtful =
        attributes.find(|attribute| !INERT.iter().any(|own| attribute.path().is_ident(own)))?;
    let attributes = item.attributes.iter();
    let is_built = attributes.filter(|attribute| attribute.path().is_ident("cfg"));
    Some(proof(name, doubtful.path().span(), quote!(#(#is_built)*)))
}

fn proof(name: &Ident, doubtful: Span, is_built: TokenStream) -> TokenStream {
    let message = codes::OUT_OF_REACH.write(format!(
        "the policy of the module does not reach `{name}`: what gives it a policy is not written \
         `#[requires(...)]`; write that name"
    ));
    let span = doubtful.resolved_at(Span::mixed_site());
    quote_spanned! {span=>
        #is_built
        const _: () = {
            use ::auth_runtime::__private::NoPolicy as _;
            ::core::assert!(!::auth_runtime::__private::Carries::<#name>::POLICY, #message);
        };
    }
}
