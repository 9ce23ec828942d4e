//! Expansion: the item as it was written, and its policy as data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use auth_grammar::errors::{Errors, UnknownKey};
use auth_grammar::item::{self, Handler, Item};
use auth_grammar::module::{Arguments, Module};
use auth_grammar::requirement::{Function, Kind, Name, Namespace, Requirement, Requires};
use auth_grammar::vocabulary::{self, Found, Terms, Vocabulary};
use auth_grammar::{args, check, codes};
use ipnet::IpNet;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Path, TypePath, Visibility};

use crate::guard;

pub(crate) fn requires(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let found = find();
    let arguments = Arguments::read(arguments);
    let requires = arguments.requires(found.as_ref(), &mut errors);
    if let Some(mut module) = Module::read(&item) {
        module.hand_down(&arguments, &requires, &mut errors);
        let mistakes = mistakes(&errors);
        return quote!(#mistakes #module);
    }
    let krate = arguments.krate().unwrap_or_else(runtime);
    let requires = requires.with_modules();
    // If a network alone meets the policy, the caller may be anonymous. For an invalid attribute,
    // the requirements that could be read decide.
    let says_nothing = requires.requirements.is_empty();
    let caller = if says_nothing || check::makes_known(&requires.requirements) {
        quote!(#krate::__private1::Identity)
    } else {
        quote!(::core::option::Option<#krate::__private1::Identity>)
    };
    let checks = checks(&requires, &krate);
    let policy = policy(&requires, &krate);
    let policy = match &requires.loosen {
        Some(Name { text, .. }) => quote!(#policy.loosened(#text)),
        None => policy,
    };
    // A looked-up name has a constant of its own; documentation and messages still show the name.
    let has_names = found
        .as_ref()
        .is_some_and(|found| found.vocabulary.is_some());
    let policy = match has_names {
        true => {
            let written = format!("requires({requires})");
            quote!(#policy.written_as(#written))
        }
        false => policy,
    };
    let expanded = expand(
        "requires",
        &Declaration {
            policy,
            checks,
            caller,
        },
        item,
        &krate,
        errors,
    );
    let tracked = found.as_ref().and_then(tracked);
    quote!(#expanded #tracked)
}

/// Returns the default path of the runtime.
fn runtime() -> Path {
    syn::parse_quote!(::auth_runtime)
}

/// Expands `vocabulary!()`: the declarations, as data.
pub(crate) fn vocabulary(arguments: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let krate = args::vocabulary(arguments, &mut errors).unwrap_or_else(runtime);
    let found = find();
    match &found {
        None => errors.add(
            codes::NO_VOCABULARY,
            Span::call_site(),
            "there is no `auth.toml` beside the `Cargo.toml`, or in a folder above it up to the root \
             of the workspace; create one, with the scopes that the service knows below `[scopes]`",
        ),
        Some(found) => found.tell(&mut errors),
    }
    let mistakes = errors.to_compile_error();
    let none = Vocabulary::default();
    let declared = found.as_ref().and_then(|found| found.vocabulary.as_deref());
    let data = vocabulary_data(declared.unwrap_or(&none), &krate);
    let tracked = found.as_ref().and_then(tracked);
    quote!({ #mistakes #tracked #data })
}

fn vocabulary_data(vocabulary: &Vocabulary, krate: &Path) -> TokenStream {
    let terms = |terms: &Terms| {
        let terms = terms.iter().map(|(name, term)| {
            let description = &term.description;
            let implies = &term.implies;
            quote!(#krate::__private1::VocabularyEntry::new(#name, #description, &[#(#implies),*]))
        });
        quote!(&[#(#terms),*])
    };
    let realm = match &vocabulary.realm {
        Some(realm) => quote!(::core::option::Option::Some(#realm)),
        None => quote!(::core::option::Option::None),
    };
    let networks = vocabulary.networks.iter().map(|(name, blocks)| {
        let blocks = blocks.iter().map(|block| addresses(block, krate));
        quote!(#krate::__private1::Network::new(#name, &[#(#blocks),*]))
    });
    let policies = vocabulary.policies.iter().map(|(name, policy)| {
        let description = &policy.description;
        let requires = &policy.requires;
        quote!(#krate::__private1::DeclaredPolicy::new(#name, #description, #requires))
    });
    let (scopes, roles) = (terms(&vocabulary.scopes), terms(&vocabulary.roles));
    let permissions = terms(&vocabulary.permissions);
    quote! {
        const VOCABULARY: #krate::__private1::Vocabulary = #krate::__private1::Vocabulary::new(
            #realm, #scopes, #roles, #permissions, &[#(#networks),*], &[#(#policies),*],
        );
        VOCABULARY
    }
}

/// Finds the vocabulary of the crate that is being compiled.
fn find() -> Option<Found> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")?;
    vocabulary::find(manifest.as_ref())
}

/// Makes the compiler compile the crate again when its vocabulary changes. Once per compilation is
/// enough; the whole file for every handler would be most of the expansion.
fn tracked(found: &Found) -> Option<TokenStream> {
    static TRACKED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

    if !found.path.is_file() {
        return None;
    }
    // No code panics while the lock is held.
    let mut tracked = TRACKED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_first = tracked.insert(found.path.clone());
    let path = found.path.to_string_lossy();
    is_first.then(|| {
        quote!(
            const _: &[u8] = ::core::include_bytes!(#path);
        )
    })
}

pub(crate) fn public(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    // A public handler does not inherit the policy of the enclosing module.
    let arguments = Arguments::read(arguments);
    let krate = arguments.krate().unwrap_or_else(runtime);
    let public = args::public(arguments.own, &mut errors);
    let reason = public.map(|public| public.reason).unwrap_or_default();
    let policy = quote!(#krate::__private1::Policy::public(#reason));
    let caller = quote!(#krate::__private1::PublicCaller);
    expand(
        "public",
        &Declaration {
            policy,
            checks: TokenStream::new(),
            caller,
        },
        item,
        &krate,
        errors,
    )
}

/// The policy of an item, as tokens.
struct Declaration {
    /// The policy as a constant.
    policy: TokenStream,
    /// The checks in it, separated by commas.
    checks: TokenStream,
    /// The type of the caller, as a guard stores it.
    caller: TokenStream,
}

fn expand(
    attribute: &str,
    declaration: &Declaration,
    tokens: TokenStream,
    krate: &Path,
    mut errors: Errors,
) -> TokenStream {
    let item = item::read(tokens.clone(), attribute, Some(krate), &mut errors);
    let mistakes = mistakes(&errors);
    // An invalid attribute still leaves the handler with a policy: otherwise every use of the
    // handler would be reported as well. The policy grants nothing, and the build fails anyway.
    let nothing = Declaration {
        policy: quote!(#krate::__private1::Policy::requires(
            #krate::__private1::Requirement::any(&[])
        )),
        checks: TokenStream::new(),
        caller: declaration.caller.clone(),
    };
    let declaration = if errors.is_empty() {
        declaration
    } else {
        &nothing
    };
    match item {
        Some(Item::Handler(mut handler)) => {
            let name = item::carrier(&handler.signature.ident);
            let carrier = carrier(&name, &handler.visibility);
            let kind = kind(attribute, &name, krate, true);
            let guard = guard::complete(&mut handler, krate);
            let declared = &handler.signature.ident;
            let implementation = implement(&name, declared, declaration, krate, guard.as_ref());
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
                #kind
            }
        }
        Some(Item::Struct(unit)) => {
            let implementation = implement(&unit.name, &unit.name, declaration, krate, None);
            let kind = kind(attribute, &unit.name, krate, false);
            let unit = unit.tokens;
            quote!(#mistakes #unit #implementation #kind)
        }
        Some(Item::Other(other)) => quote!(#mistakes #other),
        None => quote!(#mistakes #tokens),
    }
}

/// Returns the compile errors, and for each half-written key a path among the valid keys, from
/// which an editor completes it. Only rust-analyzer sees these paths.
fn mistakes(errors: &Errors) -> TokenStream {
    let told = errors.to_compile_error();
    let completions = errors
        .unknown_keys()
        .iter()
        // A keyword is not a path; the compiler would report it once more.
        .filter(|unknown| syn::parse_str::<Ident>(&unknown.key.to_string()).is_ok())
        .map(|UnknownKey { key, known }| {
            let known = known.iter().map(|name| Ident::new(name, Span::call_site()));
            quote! {
                #[allow(unexpected_cfgs)]
                const _: () = {
                    #[cfg(rust_analyzer)]
                    {
                        #[allow(non_upper_case_globals)]
                        mod keys {
                            #(pub const #known: () = ();)*
                        }
                        keys::#key
                    }
                };
            }
        });
    quote!(#(#completions)* #told)
}

/// Returns the type that carries the policy of a handler.
fn carrier(name: &Ident, visibility: &Visibility) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        #[doc(hidden)]
        #visibility struct #name {}
    }
}

fn implement(
    name: &Ident,
    declared: &Ident,
    declaration: &Declaration,
    krate: &Path,
    guard: Option<&TypePath>,
) -> TokenStream {
    let Declaration {
        policy,
        checks,
        caller,
    } = declaration;
    // A type of the service's own that is called `Guard` would check nothing on a plain router.
    let uses_guard = match guard {
        Some(guard) => quote!(#krate::__private1::uses_guard::<Self, #guard>()),
        None => quote!(false),
    };
    let suffix = format!("::{}", declared.unraw());
    // The line is that of the name, not of the attribute: the attribute of a module is elsewhere.
    let line = quote_spanned!(declared.span()=> ::core::line!());
    quote! {
        #[automatically_derived]
        impl #krate::__private1::HasPolicy for #name {
            type Caller = #caller;
            const POLICY: #krate::__private1::Policy = #policy;
            const CHECKS: &'static [#krate::__private1::Check] = &[#checks];
            const LOCATION: #krate::__private1::HandlerLocation = #krate::__private1::HandlerLocation::new(
                ::core::concat!(::core::module_path!(), #suffix),
                ::core::file!(),
                #line,
            );
            const USES_GUARD: bool = #uses_guard;
        }
    }
}

/// Returns the kind of the item that the policy applies to.
fn kind(attribute: &str, name: &Ident, krate: &Path, of_handler: bool) -> TokenStream {
    let struct_only = (!of_handler).then(|| {
        quote! {
            #[automatically_derived]
            impl #krate::__private1::ServicePolicy for #name {}
        }
    });
    let public_only = (attribute == "public").then(|| {
        quote! {
            #[automatically_derived]
            impl #krate::__private1::PublicPolicy for #name {}
        }
    });
    quote! {
        #[automatically_derived]
        impl #krate::__private1::Declared for #name {
            const OF_HANDLER: bool = #of_handler;
        }
        #struct_only
        #public_only
    }
}

fn policy(requires: &Requires, krate: &Path) -> TokenStream {
    let requirement = match requires.requirements.as_slice() {
        // Deny by default: a missing requirement never grants access, whatever the mistake.
        [] => quote!(#krate::__private1::Requirement::any(&[])),
        [only] => expression(only, krate),
        several => {
            let parts = several.iter().map(|part| expression(part, krate));
            quote!(#krate::__private1::Requirement::all(&[#(#parts),*]))
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
    quote!(#krate::__private1::Policy::requires(#requirement) #hide_as #hide_unless #schemes #realm)
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
            quote!(max_age(#krate::__private1::Duration::from_secs(#seconds)))
        }
        Kind::Network(network) => {
            let name = &network.text;
            let blocks = network.blocks.iter().map(|block| addresses(block, krate));
            quote!(network(#krate::__private1::Network::new(#name, &[#(#blocks),*])))
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
    quote!(#krate::__private1::Requirement::#call)
}

/// Returns a block of addresses as a constant.
fn addresses(block: &IpNet, krate: &Path) -> TokenStream {
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
        #krate::__private1::IpNet::#kind(#krate::__private1::#network::new_assert(
            #krate::__private1::#address::new(#parts),
            #length,
        ))
    }
}

/// Returns a check: its name and the call of its function, with the span of the function, so that the compiler points there
/// if it cannot be called.
fn check_by(function: &Function, krate: &Path) -> TokenStream {
    let name = function.to_string();
    let path = &function.0;
    // A name that the path cannot refer to.
    let call = Ident::new("call", Span::mixed_site().located_at(path.span()));
    quote_spanned! {path.span()=>
        #krate::__private1::Check::new(#name, |#call| #call.of(#path))
    }
}

/// The functions of all checks of a policy, each once, for the lookup by name.
fn checks(requires: &Requires, krate: &Path) -> TokenStream {
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
            policy(&requires, &runtime()).to_string().replace(' ', "")
        };
        const R: &str = "::auth_runtime::Requirement::";
        assert_eq!(
            policy_of(r#"scope = "read""#),
            format!(
                r#"::auth_runtime::Policy::requires({R}any(&[{R}scope("read"),{R}scope("write"),{R}scope("admin")]))"#
            )
        );
        assert_eq!(
            policy_of(r#"scope = "admin""#),
            format!(r#"::auth_runtime::Policy::requires({R}scope("admin"))"#)
        );
    }

    #[test]
    fn a_policy_of_the_vocabulary_is_given_as_it_is_read() {
        let (vocabulary, mistakes) = vocabulary::read(
            "[roles]\nadmin = \"Runs it\"\n[policies.staff]\ndescription = \"Us\"\n\
             requires = '''role=\"admin\", // for now\nhide_as = 404'''\n",
        );
        assert_eq!(mistakes, []);
        let data = vocabulary_data(&vocabulary, &runtime()).to_string();
        let policy = r#"("staff" , "Us" , "role = \"admin\", hide_as = 404")"#;
        assert!(data.contains(policy), "{data}");
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
    fn a_list_that_requires_nothing_lets_nobody_in() {
        // Arguments that a module hands down; no source contains them.
        let without = |item: &str| requires(quote!({}), item.parse().expect("tokens")).to_string();
        for item in ["async fn f() {}", "struct F;", "mod m { async fn f() {} }"] {
            let mut once = without(item).replace(' ', "");
            if let Some((_, handler)) = once.split_once("requires({})]") {
                let handler = handler.strip_suffix('}').expect("the end of the module");
                once = without(&handler.replace("asyncfn", "async fn ")).replace(' ', "");
            }
            assert!(
                once.contains("Policy::requires(::auth_runtime::Requirement::any(&[]))"),
                "{once}"
            );
        }
    }

    /// Every path to the runtime begins with the given one.
    #[test]
    fn the_runtime_goes_by_the_name_that_it_is_given() {
        let found = |expanded: String| {
            let expanded = expanded.replace(' ', "");
            assert!(!expanded.contains("auth_runtime"), "{expanded}");
            assert!(expanded.contains("::auth::"), "{expanded}");
        };
        let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
        let all = r#"crate = ::auth, any(scope = "a", network = "10.0.0.0/8"), check = crate::f,
            max_age = "5m", hide_as = 404, hide_unless = role("b"), realm = "r""#;
        for item in [
            "async fn f() {}",
            "async fn f(guard: auth::Guard) {}",
            "struct F;",
            "mod m { async fn f() {} }",
        ] {
            found(requires(tokens(all), tokens(item)).to_string());
        }
        let reason = r#"reason = "x", crate = ::auth"#;
        found(public(tokens(reason), tokens("async fn f() {}")).to_string());
        // Handed down by a module.
        let handed_down = quote!({ crate = ::auth, authenticated });
        found(requires(handed_down.clone(), tokens("async fn f() {}")).to_string());
        let own = tokens(r#"reason = "x""#);
        found(public(quote!(#handed_down #own), tokens("async fn f() {}")).to_string());
        let data = vocabulary_data(&Vocabulary::default(), &syn::parse_quote!(::auth));
        found(data.to_string());
    }

    #[test]
    fn a_module_has_one_policy() {
        for second in ["#[requires(scope=\"x\")]", "#[public(reason=\"x\")]"] {
            let expanded = expanded(
                "authenticated",
                &format!("{second} mod m {{ async fn f() {{}} }}"),
            );
            assert!(expanded.contains("compile_error!"), "{expanded}");
            assert!(
                !expanded.contains("scope=") && !expanded.contains("reason="),
                "{expanded}"
            );
            assert!(expanded.contains("requires({})]asyncfnf"), "{expanded}");
        }
    }

    #[test]
    fn a_function_that_has_its_guard_gets_no_second_policy() {
        let expanded = expanded("authenticated", "async fn f(g: Guard<policy_of_f>) {}");
        assert!(!expanded.contains("HasPolicy"), "{expanded}");
    }

    #[test]
    fn what_can_carry_no_policy_is_left_as_it_was() {
        let expanded = expanded("authenticated", "enum F { A }");
        assert!(expanded.contains("compile_error!"), "{expanded}");
        assert!(expanded.ends_with("enumF{A}"), "{expanded}");
        assert!(!expanded.contains("HasPolicy"), "{expanded}");
    }
}
