//! Expansion: the item, with a completed guard, and its policy as data.

use auth_grammar::annotated::{Annotated, Target};
use auth_grammar::item::{self, Handler, Item, UnitStruct};
use auth_grammar::requirement::ParsedPolicy;
use auth_grammar::vocabulary::LoadedVocabulary;
use auth_grammar::{check, lower};
use auth_runtime_policy::{self as model, Requirement};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, Ident, Path};

use crate::{guard, mistakes, policy, runtime, vocabulary};

/// Returns the tokens that replace an attribute and its item.
pub(crate) fn expand(annotated: &Annotated<'_>) -> TokenStream {
    let errors = &annotated.errors;
    let item = match &annotated.target {
        Target::Module(module) => module.to_token_stream(),
        Target::Item(Item::Handler(handler)) => expand_handler(handler, annotated),
        Target::Item(Item::Struct(unit)) => expand_struct(unit, annotated),
        // It may belong to a type or a trait, where `const _` is not allowed.
        Target::Item(Item::Other(tokens)) => {
            let compile_errors = errors.to_compile_error();
            return quote!(#compile_errors #tokens);
        }
    };
    let mistakes = mistakes::tokens(errors);
    // Within a module, the attribute of the module has done this. A failed build is repeated anyway.
    let is_tracked = !annotated.is_within_module && errors.is_empty();
    let read = annotated.vocabulary.filter(|_| is_tracked);
    let tracked = read.map(vocabulary::tracked);
    quote!(#mistakes #item #tracked)
}

fn expand_handler(handler: &Handler, annotated: &Annotated<'_>) -> TokenStream {
    let runtime = runtime::private(annotated.krate.as_ref());
    let name = item::policy_type(&handler.signature.ident);
    let (signature, guard) = guard::completed(handler, annotated.krate.as_ref(), &runtime);
    // A type of the service's own that is called `Guard` would check nothing on a plain router.
    let uses_guard = match &guard {
        Some(guard) => quote_spanned!(guard.span()=> #runtime::uses_guard::<Self, #guard>()),
        None => quote!(false),
    };
    let implementation = Implementation {
        name: &name,
        item: &handler.signature.ident,
        kind: quote!(OfHandler),
        uses_guard,
        handler: handler_type(handler, annotated, &runtime),
        is_deprecated: handler
            .attributes
            .iter()
            .any(|attribute| attribute.path().is_ident("deprecated")),
    };
    let implementation = implementation.expand(annotated, &runtime);
    let Handler {
        attributes,
        visibility,
        body,
        ..
    } = handler;
    let policy_type = quote_spanned! {Span::mixed_site()=>
        #[doc(hidden)]
        #visibility struct #name {}
    };
    let allowance = guard::allowance(handler, guard.is_none());
    // The attributes of the user come last, since the last level of a lint counts.
    quote! {
        #allowance #(#attributes)* #visibility #signature #body
        #policy_type
        #implementation
    }
}

fn expand_struct(unit: &UnitStruct, annotated: &Annotated<'_>) -> TokenStream {
    let implementation = Implementation {
        name: &unit.name,
        item: &unit.name,
        kind: quote!(OfService),
        // Closures and functions take its guard.
        uses_guard: quote!(true),
        handler: quote!(::core::option::Option::None),
        is_deprecated: contains_word(&unit.tokens, "deprecated"),
    };
    let runtime = runtime::private(annotated.krate.as_ref());
    let implementation = implementation.expand(annotated, &runtime);
    let unit = &unit.tokens;
    quote!(#unit #implementation)
}

/// The trait implementation of an item.
struct Implementation<'i> {
    /// The type that carries the policy.
    name: &'i Ident,
    /// The handler or the unit struct.
    item: &'i Ident,
    kind: TokenStream,
    /// True if a handler with the policy may name its guard.
    uses_guard: TokenStream,
    /// The identity of the handler's type, if it has one.
    handler: TokenStream,
    /// True if the item is deprecated, so that naming it would be reported.
    is_deprecated: bool,
}

impl Implementation<'_> {
    fn expand(self, annotated: &Annotated<'_>, runtime: &Path) -> TokenStream {
        let Self {
            name,
            item,
            kind,
            uses_guard,
            handler,
            is_deprecated,
        } = self;
        let allowed = is_deprecated
            .then(|| quote!(#[allow(deprecated, reason = "the policy names its item")]));
        let policy = policy::policy(&effective(annotated), runtime);
        let functions = match &annotated.policy {
            ParsedPolicy::Requires(requires) if annotated.errors.is_empty() => {
                policy::functions(requires, runtime)
            }
            _ => TokenStream::new(),
        };
        let caller = caller(&annotated.policy, runtime);
        let suffix = format!("::{}", item.unraw());
        // The line is that of the name, not of the attribute: the attribute of a module is elsewhere.
        let line = quote_spanned!(item.span()=> ::core::line!());
        quote! {
            #[automatically_derived]
            #allowed
            impl #runtime::HasPolicy for #name {
                type Kind = #runtime::#kind;
                type Caller = #caller;
                const POLICY: &'static #runtime::Policy = #policy;
                const FUNCTIONS: &'static [#runtime::ServiceFunction] = &[#functions];
                const LOCATION: #runtime::HandlerLocation = #runtime::HandlerLocation::new(
                    ::core::concat!(::core::module_path!(), #suffix),
                    ::core::file!(),
                    #line,
                );
                const USES_GUARD: bool = #uses_guard;
                fn handler_type() -> ::core::option::Option<#runtime::TypeId> {
                    #handler
                }
            }
        }
    }
}

/// Returns the policy. An invalid attribute still leaves the handler with one: otherwise every use
/// of the handler would be reported as well. That policy grants nothing, and the build fails anyway.
fn effective(annotated: &Annotated<'_>) -> model::Policy {
    if !annotated.errors.is_empty() {
        return model::Policy::requires(Requirement::never());
    }
    let policy = lower::policy(&annotated.policy);
    // A looked-up name has a constant of its own; documentation and messages still show the name.
    match annotated.vocabulary {
        Some(LoadedVocabulary {
            vocabulary: Some(_),
            ..
        }) => policy.written_as(annotated.policy.to_string()),
        _ => policy,
    }
}

/// Returns the type of the caller. If a network or a setting meets the policy, the caller may be anonymous.
/// For an invalid attribute, the requirements that could be read decide.
fn caller(policy: &ParsedPolicy, runtime: &Path) -> TokenStream {
    match policy {
        ParsedPolicy::Public(public) if public.optional_identity => {
            quote!(::core::option::Option<#runtime::Identity>)
        }
        ParsedPolicy::Public(_) => quote!(#runtime::PublicCaller),
        ParsedPolicy::Requires(requires)
            if requires.requirements.is_empty() || check::makes_known(&requires.requirements) =>
        {
            quote!(#runtime::Identity)
        }
        ParsedPolicy::Requires(_) => quote!(::core::option::Option<#runtime::Identity>),
    }
}

/// Returns the identity of the type of a handler, which only this handler has. A generic handler has
/// a type for each of its arguments. The name of an invalid one would be reported here.
fn handler_type(handler: &Handler, annotated: &Annotated<'_>, runtime: &Path) -> TokenStream {
    let signature = &handler.signature;
    let mut parameters = signature.generics.params.iter();
    let is_generic = parameters.any(|it| !matches!(it, GenericParam::Lifetime(_)))
        || may_be_generic(signature.inputs.to_token_stream());
    if is_generic || is_expected_to_be_dead(handler) || !annotated.errors.is_empty() {
        return quote!(::core::option::Option::None);
    }
    // As a raw identifier: the edition of this crate, which the span has, may reserve the name.
    let span = Span::mixed_site().located_at(signature.ident.span());
    let name = Ident::new_raw(&signature.ident.unraw().to_string(), span);
    quote!(::core::option::Option::Some(#runtime::type_id_of(&#name)))
}

/// Returns whether an attribute expects that nothing uses a handler. Naming its type would use it.
fn is_expected_to_be_dead(handler: &Handler) -> bool {
    let mut attributes = handler.attributes.iter();
    attributes.any(|attribute| {
        let matches = ["dead_code", "unused"]
            .iter()
            .any(|lint| contains_word(attribute, lint));
        attribute.path().is_ident("expect") && matches
    })
}

fn contains_word(tokens: impl ToTokens, word: &str) -> bool {
    let tokens = tokens.to_token_stream();
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => contains_word(group.stream(), word),
        TokenTree::Ident(own) => own == word,
        _ => false,
    })
}

/// Returns whether parameters contain `impl Trait`, or a macro that may expand to it.
fn may_be_generic(parameters: TokenStream) -> bool {
    contains_word(&parameters, "impl") || calls_macro(parameters)
}

/// Returns whether tokens of types contain `path!(…)`. A `!` elsewhere is the never type.
fn calls_macro(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_call = |three: &[TokenTree]| {
        matches!(
            three,
            [TokenTree::Ident(_) | TokenTree::Group(_), TokenTree::Punct(bang), TokenTree::Group(_)]
                if bang.as_char() == '!'
        )
    };
    let mut groups = tokens.iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    tokens.windows(3).any(is_call) || groups.any(calls_macro)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use auth_grammar::annotated;

    use super::*;

    fn requires(arguments: TokenStream, item: TokenStream) -> TokenStream {
        expand(&annotated::requires(arguments, item, None))
    }

    fn public(arguments: TokenStream, item: TokenStream) -> TokenStream {
        expand(&annotated::public(arguments, item))
    }

    fn expanded(arguments: &str, item: &str) -> String {
        let [arguments, item] = [arguments, item].map(|text| text.parse().expect("tokens"));
        let tokens = requires(arguments, item);
        syn::parse2::<syn::File>(tokens.clone()).expect("items");
        tokens.to_string().replace(' ', "")
    }

    /// A later edition may reserve the name of a handler.
    #[test]
    fn names_of_handlers_are_raw() {
        for name in ["gen", "r#gen", "list"] {
            let item = format!("async fn {name}() {{}}");
            let raw = format!("type_id_of(&r#{})", name.trim_start_matches("r#"));
            let expanded = expanded("authenticated", &item);
            assert!(expanded.contains(&raw), "{expanded}");
        }
    }

    #[test]
    fn allowed_dead_handlers_are_not_used() {
        for (attribute, is_used) in [
            ("#[expect(dead_code)]", false),
            ("#[expect(unused, reason = \"later\")]", false),
            ("#[allow(dead_code)]", true),
            ("#[expect(unused_variables)]", true),
        ] {
            let expanded = expanded("authenticated", &format!("{attribute} async fn f() {{}}"));
            assert_eq!(expanded.contains("type_id_of"), is_used, "{attribute}");
        }
    }

    #[test]
    fn a_policy_is_data() {
        let [a, b, c] = [
            Requirement::scope("a"),
            Requirement::role("b"),
            Requirement::permission("c"),
        ];
        for (arguments, expected) in [
            (
                "authenticated",
                model::Policy::requires(Requirement::authenticated()),
            ),
            (
                r#"scope = "a", role = "b", hide_as = 404"#,
                model::Policy::requires(Requirement::all([a.clone(), b.clone()]))
                    .hide_as_not_found(),
            ),
            (
                r#"any(role = "b", permission = "c"), hide_as = 404, hide_unless = scope("a"),
                    schemes(Bearer), realm = "r""#,
                model::Policy::requires(Requirement::any([b, c]))
                    .hide_unless(a)
                    .schemes(["Bearer"])
                    .realm("r"),
            ),
        ] {
            let expanded = expanded(arguments, "async fn f() {}");
            let expected = policy::policy(&expected, &runtime::private(None)).to_string();
            let expected = format!("__private1::Policy={};", expected.replace(' ', ""));
            assert!(expanded.contains(&expected), "{arguments}: {expanded}");
        }
    }

    #[test]
    fn invalid_attributes_grant_nothing() {
        for (arguments, item) in [
            (r#"scop = "a""#, "async fn f() {}"),
            (r#"scope = "a b""#, "async fn f(guard: Guard) {}"),
            (r#"scope = "a""#, "fn f() {}"),
            ("", "struct F;"),
        ] {
            let expanded = expanded(arguments, item);
            for part in ["compile_error!", "HasPolicyfor", "Requirement::never()"] {
                assert!(expanded.contains(part), "{arguments}: {part}: {expanded}");
            }
        }
    }

    #[test]
    fn handlers_of_invalid_modules_grant_nothing() {
        for item in ["async fn f() {}", "struct F;"] {
            let item = item.parse().expect("tokens");
            let expanded = requires(quote!({ invalid }), item).to_string();
            assert!(!expanded.contains("compile_error"), "{expanded}");
            let policy = "Access::Requires(::auth_runtime::__private1::Requirement::never())";
            assert!(expanded.replace(' ', "").contains(policy), "{expanded}");
        }
    }

    /// Every path to the runtime begins with the given one.
    #[test]
    fn the_runtime_has_the_given_path() {
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
            assert!(
                expanded.contains("requires({invalid})]asyncfnf"),
                "{expanded}"
            );
        }
    }

    #[test]
    fn completed_guards_get_no_second_policy() {
        let expanded = expanded("authenticated", "async fn f(g: Guard<policy_of_f>) {}");
        assert!(!expanded.contains("HasPolicy"), "{expanded}");
    }

    #[test]
    fn other_items_are_left_unchanged() {
        let expanded = expanded("authenticated", "enum F { A }");
        assert!(expanded.contains("compile_error!"), "{expanded}");
        assert!(expanded.ends_with("enumF{A}"), "{expanded}");
        assert!(!expanded.contains("HasPolicy"), "{expanded}");
    }

    /// A constant without a name is illegal among the items of a type or a trait.
    #[test]
    fn misplaced_attributes_add_no_constant() {
        for (arguments, item) in [
            ("authenticated", "async fn f(&self) {}"),
            ("rol = \"a\"", "async fn f(&self) {}"),
            ("rol = \"a\"", "async fn f();"),
        ] {
            let expanded = expanded(arguments, item);
            assert!(expanded.contains("compile_error!"), "{expanded}");
            assert!(!expanded.contains("const_"), "{arguments}: {expanded}");
        }
    }

    #[test]
    fn vocabulary_is_tracked_by_valid_attributes() {
        let found = LoadedVocabulary {
            path: concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into(),
            shown: "auth.toml".to_owned(),
            schema: None,
            vocabulary: Some(Arc::default()),
            mistakes: Vec::new(),
        };
        for (arguments, item, is_tracked) in [
            ("authenticated", "async fn f() {}", true),
            ("authenticated", "struct F;", true),
            ("authenticated", "mod m { async fn f() {} }", true),
            ("authentic", "async fn f() {}", false),
            ("authenticated", "async fn f(&self) {}", false),
            ("authenticated", "async fn f();", false),
            ("{ authenticated }", "async fn f() {}", false),
        ] {
            let [arguments, item] = [arguments, item].map(|text| text.parse().expect("tokens"));
            let expanded = expand(&annotated::requires(arguments, item, Some(&found))).to_string();
            let is_included = expanded.contains("include_bytes");
            assert_eq!(is_included, is_tracked, "{expanded}");
        }
    }
}
