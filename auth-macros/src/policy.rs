//! Policies, as constants of the runtime. `krate` is the path of the module that expansions name.

use std::collections::BTreeMap;

use auth_grammar::requirement::{Function, Kind, Name, Namespace, Requirement, Requires};
use ipnet::IpNet;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Path};

/// Returns the policy of `#[requires(...)]`.
pub(crate) fn policy(requires: &Requires, krate: &Path) -> TokenStream {
    let requirement = match requires.requirements.as_slice() {
        // Deny by default: a missing requirement never grants access, whatever the mistake.
        [] => quote!(#krate::Requirement::any(&[])),
        [only] => expression(only, krate),
        several => {
            let parts = several.iter().map(|part| expression(part, krate));
            quote!(#krate::Requirement::all(&[#(#parts),*]))
        }
    };
    let hide_as = requires
        .hide_as
        .as_ref()
        .map(|_| quote!(.hide_as_not_found()));
    let hide_unless = requires.hide_unless.as_ref().map(|hide_unless| {
        let lesser = expression(&hide_unless.lesser, krate);
        quote!(.hide_unless(#lesser))
    });
    let schemes = requires.schemes.as_ref().map(|schemes| {
        let names = schemes.iter().map(|name| &name.text);
        quote!(.schemes(&[#(#names),*]))
    });
    let realm = requires.realm.as_ref().map(|realm| {
        let realm = &realm.text;
        quote!(.realm(#realm))
    });
    quote!(#krate::Policy::requires(#requirement) #hide_as #hide_unless #schemes #realm)
}

fn expression(requirement: &Requirement, krate: &Path) -> TokenStream {
    let list = |parts: &[Requirement]| {
        let parts = parts.iter().map(|part| expression(part, krate));
        quote!(&[#(#parts),*])
    };
    let call = match &requirement.kind {
        Kind::Authenticated => quote!(authenticated()),
        Kind::SenderConstrained => quote!(sender_constrained()),
        Kind::Named(namespace, name) if !name.broader.is_empty() => {
            // A caller with a broader name was granted this one, too: nothing is left to resolve at
            // run time.
            let names = std::iter::once(&name.text).chain(&name.broader);
            let parts = names.map(|text| {
                let name = Name {
                    text: text.clone(),
                    span: name.span,
                    broader: Vec::new(),
                };
                let kind = Kind::Named(*namespace, name);
                expression(
                    &Requirement::new(kind, requirement.span, requirement.end),
                    krate,
                )
            });
            quote!(any(&[#(#parts),*]))
        }
        Kind::Named(namespace, name) => {
            let name = &name.text;
            match namespace {
                Namespace::Scope => quote!(scope(#name)),
                Namespace::Role => quote!(role(#name)),
                Namespace::Permission => quote!(permission(#name)),
                Namespace::Acr => quote!(acr(#name)),
                Namespace::Amr => quote!(amr(#name)),
            }
        }
        Kind::MaxAge(age) => {
            let seconds = age.seconds;
            quote!(max_age(#krate::Duration::from_secs(#seconds)))
        }
        Kind::Network(network) => {
            let name = &network.text;
            let blocks = network.blocks.iter().map(|block| addresses(block, krate));
            quote!(network(#krate::Network::new(#name, &[#(#blocks),*])))
        }
        Kind::Check(function) => {
            let name = function.to_string();
            quote!(check(#name))
        }
        // Only a policy that could not be looked up is left; that was reported.
        Kind::Policy(_) => quote!(any(&[])),
        Kind::All(parts) => {
            let parts = list(parts);
            quote!(all(#parts))
        }
        Kind::Any(parts) => {
            let parts = list(parts);
            quote!(any(#parts))
        }
    };
    quote!(#krate::Requirement::#call)
}

/// Returns a block of addresses as a constant.
pub(crate) fn addresses(block: &IpNet, krate: &Path) -> TokenStream {
    let length = block.prefix_len();
    let (kind, network, address, parts) = match block {
        IpNet::V4(block) => {
            let octets = block.addr().octets();
            (
                quote!(V4),
                quote!(Ipv4Net),
                quote!(Ipv4Addr),
                quote!(#(#octets),*),
            )
        }
        IpNet::V6(block) => {
            let segments = block.addr().segments();
            (
                quote!(V6),
                quote!(Ipv6Net),
                quote!(Ipv6Addr),
                quote!(#(#segments),*),
            )
        }
    };
    quote! {
        #krate::IpNet::#kind(#krate::#network::new_assert(
            #krate::#address::new(#parts),
            #length,
        ))
    }
}

/// Returns the functions of all checks of a policy, each once, for the lookup by name.
pub(crate) fn checks(requires: &Requires, krate: &Path) -> TokenStream {
    fn collect<'r>(requirement: &'r Requirement, checks: &mut BTreeMap<String, &'r Function>) {
        match &requirement.kind {
            Kind::All(parts) | Kind::Any(parts) => {
                parts.iter().for_each(|part| collect(part, checks));
            }
            Kind::Check(function) => {
                checks.entry(function.to_string()).or_insert(function);
            }
            _ => {}
        }
    }

    let mut checks = BTreeMap::new();
    let lesser = requires.hide_unless.iter().map(|hide| &hide.lesser);
    for requirement in requires.requirements.iter().chain(lesser) {
        collect(requirement, &mut checks);
    }
    let checks = checks
        .into_values()
        .map(|function| check_by(function, krate));
    quote!(#(#checks),*)
}

/// Returns a check: its name and the call of its function, with the span of the function, so that
/// the compiler points there if it cannot be called.
fn check_by(function: &Function, krate: &Path) -> TokenStream {
    let name = function.to_string();
    let path = &function.0;
    // A name that the path cannot refer to.
    let call = Ident::new("call", Span::mixed_site().located_at(path.span()));
    quote_spanned! {path.span()=>
        #krate::Check::new(#name, |#call| #call.of(#path))
    }
}

#[cfg(test)]
mod tests {
    use auth_grammar::errors::Errors;
    use auth_grammar::vocabulary::{self, Found};

    use super::*;
    use crate::runtime::private;

    #[test]
    fn implication_is_resolved_before_anything_runs() {
        let (vocabulary, mistakes) = vocabulary::read(
            r#"
            [scopes]
            read = "Read"
            write = { description = "Write", implies = ["read"] }
            admin = { description = "Everything", implies = ["write"] }
            "#,
        );
        assert_eq!(mistakes, []);
        let found = Found {
            path: "auth.toml".into(),
            shown: "auth.toml".to_owned(),
            vocabulary: Some(vocabulary.into()),
            mistakes: Vec::new(),
        };
        let policy_of = |arguments: &str| {
            let mut errors = Errors::default();
            let arguments = arguments.parse().expect("tokens");
            let requires = auth_grammar::requires(arguments, Some(&found), &mut errors);
            assert_eq!(errors.messages(), Vec::<String>::new());
            policy(&requires, &private(None))
                .to_string()
                .replace(' ', "")
        };
        const R: &str = "::auth_runtime::__private1::Requirement::";
        assert_eq!(
            policy_of(r#"scope = "read""#),
            format!(
                r#"::auth_runtime::__private1::Policy::requires({R}any(&[{R}scope("read"),{R}scope("write"),{R}scope("admin")]))"#
            )
        );
        assert_eq!(
            policy_of(r#"scope = "admin""#),
            format!(r#"::auth_runtime::__private1::Policy::requires({R}scope("admin"))"#)
        );
    }
}
