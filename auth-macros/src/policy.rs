//! The policy model as tokens: the one place of the attributes that knows its shape. `runtime` is
//! the path of the module that expansions name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use auth_grammar::requirement::{Function, Requires};
use auth_runtime_policy::{
    Access, Atom, Disclosure, IpNet, Network, ObjectSource, Policy, Requirement,
};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Path};

/// Returns a policy as a constant reference.
pub(crate) fn policy(policy: &Policy, runtime: &Path) -> TokenStream {
    let text = |text: Option<&str>| option(text.map(|text| quote!(#runtime::Cow::Borrowed(#text))));
    let access = match policy.access() {
        Access::Public {
            reason,
            optional_identity,
        } => {
            let reason = reason.as_ref();
            quote!(Public {
                reason: #runtime::Cow::Borrowed(#reason),
                optional_identity: #optional_identity,
            })
        }
        Access::Requires(required) => {
            let required = requirement(required, runtime);
            quote!(Requires(#required))
        }
    };
    let disclosure = match policy.disclosure() {
        Disclosure::Shown => quote!(Shown),
        Disclosure::Hidden(lesser) => {
            let lesser = option(lesser.as_ref().map(|lesser| requirement(lesser, runtime)));
            quote!(Hidden(#lesser))
        }
    };
    let schemes = option(policy.accepted_schemes().map(|names| {
        let names = names.iter().map(Cow::as_ref);
        quote!(#runtime::Cow::Borrowed(&[#(#runtime::Cow::Borrowed(#names)),*]))
    }));
    let realm = text(policy.own_realm());
    let says = text(policy.denial_text());
    let loosened = text(policy.loosened_reason());
    let written = text(policy.written_text());
    // Separate constants, since a constant function cannot take references to types with a destructor.
    quote! {
        {
            const ACCESS: #runtime::Access = #runtime::Access::#access;
            const DISCLOSURE: #runtime::Disclosure = #runtime::Disclosure::#disclosure;
            const SCHEMES: #runtime::Schemes = #schemes;
            &#runtime::Policy::from_parts(
                ACCESS, DISCLOSURE, SCHEMES, #realm, #says, #loosened, #written,
            )
        }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

fn requirement(required: &Requirement, runtime: &Path) -> TokenStream {
    let list = |parts: &[Requirement]| {
        let parts = parts.iter().map(|part| requirement(part, runtime));
        quote!((#runtime::Cow::Borrowed(&[#(#parts),*])))
    };
    let built = match required {
        Requirement::All(parts) => {
            let parts = list(parts);
            quote!(All #parts)
        }
        Requirement::Any(parts) if parts.is_empty() => quote!(never()),
        Requirement::Any(parts) => {
            let parts = list(parts);
            quote!(Any #parts)
        }
        Requirement::Atom(atom) => match atom {
            Atom::Authenticated => quote!(authenticated()),
            Atom::SenderConstrained => quote!(sender_constrained()),
            Atom::Scope(name) => quote!(scope(#name)),
            Atom::Role(name) => quote!(role(#name)),
            Atom::Permission(name) => quote!(permission(#name)),
            Atom::Acr(name) => quote!(acr(#name)),
            Atom::Amr(name) => quote!(amr(#name)),
            Atom::Setting(name) => quote!(setting(#name)),
            Atom::Check(name) => quote!(check(#name)),
            Atom::Can { action, on } => match on {
                ObjectSource::Path(on) => {
                    let on = on.as_str();
                    quote!(can_on(#action, #runtime::ResourcePattern::checked(#on)))
                }
                ObjectSource::Function {
                    resource_type,
                    function,
                } => quote!(can_by(#action, #resource_type, #function)),
                _ => quote!(can(#action)),
            },
            Atom::MaxAge(age) => {
                let seconds = age.as_secs();
                quote!(max_age(#runtime::Duration::from_secs(#seconds)))
            }
            Atom::Network(network) => {
                let network = self::network(network, runtime);
                quote!(network(#network))
            }
            // A new atom needs a line here.
            _ => return quote!(::core::compile_error!("requirement without an expansion")),
        },
    };
    quote!(#runtime::Requirement::#built)
}

/// Returns a network as a constant.
pub(crate) fn network(network: &Network, runtime: &Path) -> TokenStream {
    let name = network.name();
    let blocks = network
        .blocks()
        .iter()
        .map(|block| addresses(block, runtime));
    quote!(#runtime::Network::new(#name, &[#(#blocks),*]))
}

/// Returns a block of addresses as a constant.
fn addresses(block: &IpNet, runtime: &Path) -> TokenStream {
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
        #runtime::IpNet::#kind(#runtime::#network::new_assert(
            #runtime::#address::new(#parts),
            #length,
        ))
    }
}

/// Returns the functions of a policy, each once, for the lookup by name.
pub(crate) fn functions(requires: &Requires, runtime: &Path) -> TokenStream {
    let mut functions = BTreeMap::new();
    for (key, function) in requires.functions() {
        functions
            .entry((key, function.to_string()))
            .or_insert(function);
    }
    let functions = functions.into_iter();
    let functions =
        functions.map(|((key, name), function)| named_function(key, &name, function, runtime));
    quote!(#(#functions),*)
}

/// Returns a function of the service: its name and its call, with the span of its path, so that the
/// compiler points there if it cannot be called.
fn named_function(key: &str, name: &str, function: &Function, runtime: &Path) -> TokenStream {
    let path = &function.0;
    // Each key is a constructor.
    let constructor = Ident::new(key, path.span());
    // A name that the path cannot refer to.
    let call = Ident::new("call", Span::mixed_site().located_at(path.span()));
    quote_spanned! {path.span()=>
        #runtime::ServiceFunction::#constructor(#name, |#call| #call.of(#path))
    }
}

#[cfg(test)]
mod tests {
    use auth_grammar::errors::Errors;
    use auth_grammar::lower;
    use auth_grammar::vocabulary::{self, LoadedVocabulary};

    use super::*;
    use crate::runtime::private;

    #[test]
    fn networks_have_all_their_blocks() {
        let blocks = ["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"];
        let blocks = blocks.map(|block| block.parse().expect("a block"));
        let office = Network::owned("office", blocks.to_vec());
        let tokens = network(&office, &private(None)).to_string();
        let tokens = tokens.replace(' ', "");
        let block = |version: u8, address: &str, length: u8| {
            format!(
                "IpNet::V{version}(Ipv{version}Net::new_assert(\
                 Ipv{version}Addr::new({address}),{length}u8,))"
            )
        };
        let blocks = [
            block(4, "10u8,0u8,0u8,0u8", 8),
            block(4, "192u8,0u8,2u8,0u8", 24),
            block(6, "8193u16,3512u16,0u16,0u16,0u16,0u16,0u16,0u16", 32),
        ];
        assert_eq!(
            tokens.replace("::auth_runtime::__private1::", ""),
            format!("Network::new(\"office\",&[{}])", blocks.join(","))
        );
    }

    #[test]
    fn implied_names_are_alternatives() {
        let (vocabulary, mistakes) = vocabulary::read(
            r#"
            [scopes]
            read = "Read"
            write = { description = "Write", implies = ["read"] }
            admin = { description = "Everything", implies = ["write"] }
            "#,
        );
        assert_eq!(mistakes, []);
        let found = LoadedVocabulary {
            path: "auth.toml".into(),
            shown: "auth.toml".to_owned(),
            schema: None,
            vocabulary: Some(vocabulary.into()),
            mistakes: Vec::new(),
        };
        let policy_of = |arguments: &str| {
            let mut errors = Errors::default();
            let arguments = arguments.parse().expect("tokens");
            let requires = auth_grammar::requires(arguments, Some(&found), &mut errors);
            assert_eq!(errors.messages(), Vec::<String>::new());
            lower::requires(&requires)
        };
        let scopes = ["read", "write", "admin"].map(Requirement::scope);
        let read = policy_of(r#"scope = "read""#);
        assert_eq!(read, Policy::requires(Requirement::any(scopes)));
        let admin = policy_of(r#"scope = "admin""#);
        assert_eq!(admin, Policy::requires(Requirement::scope("admin")));
        let tokens = policy(&read, &private(None)).to_string().replace(' ', "");
        let write = r#"::auth_runtime::__private1::Requirement::scope("write")"#;
        assert!(tokens.contains(write), "{tokens}");
    }
}
