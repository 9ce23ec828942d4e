//! A policy on an inline module: it is handed down to every handler in it.
//!
//! Only as much is read as it takes to tell items apart, so that a half-typed one still reaches the
//! compiler and the editor. What could hide a handler from the policy is refused.

mod calls;
mod items;

use auth_grammar::codes;
use auth_grammar::errors::Errors;
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Meta, Token, Visibility};

use self::calls::refuse_helpers;
use self::items::{Item, Kind, item, items_of};
use crate::attribute::{
    policy_attribute_by_any_path, policy_in_cfg_attr, policy_within, refuse_conditional_policy,
};
use crate::item::refuse_second_policy;

/// An inline module.
pub(crate) struct Module {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    items: Group,
}

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

impl Module {
    /// `None` if the item is something else.
    pub(crate) fn read(item: &TokenStream) -> Option<Self> {
        let parser = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility = input.parse()?;
            input.parse::<Token![mod]>()?;
            Ok(Self {
                attributes,
                visibility,
                name: input.parse()?,
                items: input.parse()?,
            })
        };
        let module = parser.parse2(item.clone()).ok()?;
        (module.items.delimiter() == Delimiter::Brace).then_some(module)
    }

    /// A module has one policy of its own, as a handler has.
    pub(crate) fn refuse_second_policy(&mut self, attribute: &str, errors: &mut Errors) {
        refuse_second_policy(&mut self.attributes, attribute, errors);
    }

    /// The module with `policy`, which are the lists that it hands down, on each handler.
    pub(crate) fn with(self, policy: &TokenStream, errors: &mut Errors) -> TokenStream {
        let Self {
            attributes,
            visibility,
            name,
            items,
        } = self;
        let mut handed_down = TokenStream::new();
        let parser = |input: ParseStream<'_>| {
            let inner = input.call(Attribute::parse_inner).unwrap_or_default();
            handed_down.extend(quote!(#(#inner)*));
            let mut all = Vec::new();
            while !input.is_empty() {
                all.push(item(input));
            }
            Ok(all)
        };
        let mut all = parser
            .parse2(items_of(items.stream()))
            .unwrap_or_else(|error| {
                errors.push(error);
                Vec::new()
            });
        refuse_helpers(&mut all, errors);
        for item in all {
            handed_down.extend(item.with(policy, errors));
        }
        let mut body = Group::new(Delimiter::Brace, handed_down);
        body.set_span(items.span());
        quote!(#(#attributes)* #visibility mod #name #body)
    }
}

impl Item {
    /// The item with the policy, if it is for it.
    fn with(mut self, policy: &TokenStream, errors: &mut Errors) -> TokenStream {
        if self.is_test() {
            return self.into_tokens(None);
        }
        let written = self.attributes.len();
        self.attributes.retain(|attribute| {
            let found = policy_in_cfg_attr(attribute);
            if let Some(span) = found {
                refuse_conditional_policy(span, errors);
            }
            found.is_none()
        });
        // What was refused still stands for a policy: otherwise its absence would be told as well.
        let had_policy = self.attributes.len() < written;
        self.refuse_what_is_out_of_reach(errors);
        let mut has_own = false;
        for attribute in &mut self.attributes {
            if policy_attribute_by_any_path(attribute).is_some() {
                add(attribute, policy, errors);
                has_own = true;
            }
        }
        let added = match &self.kind {
            Kind::Module | Kind::Handler(_) if !has_own => {
                Some(quote!(#[::auth_runtime::requires(#policy)]))
            }
            Kind::UnitStruct(_) if had_policy && !has_own => {
                Some(quote!(#[::auth_runtime::requires(#policy)]))
            }
            Kind::UnitStruct(name) if !has_own => {
                let proof = self.proof_of_no_policy(name);
                return self.into_tokens(proof);
            }
            _ => None,
        };
        self.into_tokens(added)
    }

    fn into_tokens(self, added: Option<TokenStream>) -> TokenStream {
        let Self {
            attributes, rest, ..
        } = self;
        quote!(#added #(#attributes)* #rest)
    }

    fn refuse_what_is_out_of_reach(&self, errors: &mut Errors) {
        match &self.kind {
            Kind::Module => {}
            Kind::FileModule(name) => errors.add(
                codes::OUT_OF_REACH,
                name.span(),
                format!(
                    "the policy of the module does not reach into a file; write `mod {name} {{ ... }}` \
                     here, or move `mod {name};` out of the module"
                ),
            ),
            Kind::Macro(path) => {
                let name = path.to_string().replace(' ', "");
                errors.add(
                    codes::OUT_OF_REACH,
                    path.span(),
                    format!(
                        "the policy of the module does not reach what `{name}!` writes; write the items \
                         out, or move the macro out of the module"
                    ),
                );
            }
            _ => {
                if let Some(span) = policy_within(self.rest.clone()) {
                    errors.add(
                        codes::OUT_OF_REACH,
                        span,
                        "the policy of the module does not reach a handler within another item; move \
                         the handler out of it, to the items of the module",
                    );
                }
            }
        }
    }

    /// A unit struct gets no policy from its module. If an attribute gives it one all the same, it is
    /// ours by a name that cannot be seen through, and lacks the module's.
    fn proof_of_no_policy(&self, name: &Ident) -> Option<TokenStream> {
        let is_inert =
            |attribute: &&Attribute| INERT.iter().any(|own| attribute.path().is_ident(own));
        let doubtful = self
            .attributes
            .iter()
            .find(|attribute| !is_inert(attribute))?;
        let is_built = self
            .attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"));
        let message = codes::OUT_OF_REACH.write(format!(
            "the policy of the module does not reach `{name}`: what gives it a policy is not written \
             `#[requires(...)]`; write that name"
        ));
        let span = doubtful.path().span().resolved_at(Span::mixed_site());
        Some(quote_spanned! {span=>
            #(#is_built)*
            const _: () = {
                use ::auth_runtime::__private::NoPolicy as _;
                ::core::assert!(!::auth_runtime::__private::Carries::<#name>::POLICY, #message);
            };
        })
    }
}

/// The lists that modules hand down, which stand before what an attribute says itself, and the rest.
/// Nobody else writes them: a list that is written in the source stays in the rest, where it is refused.
pub(crate) fn handed_down(arguments: TokenStream) -> (Vec<Group>, TokenStream) {
    let mut arguments = arguments.into_iter().peekable();
    let mut lists = Vec::new();
    while let Some(TokenTree::Group(list)) =
        arguments.next_if(|token| matches!(token, TokenTree::Group(list) if is_handed_down(list)))
    {
        lists.push(list);
    }
    (lists, arguments.collect())
}

/// What a macro writes stands, for the compiler, where the macro is called, and not where a brace is.
fn is_handed_down(list: &Group) -> bool {
    let is_written = list
        .span()
        .source_text()
        .is_some_and(|text| text.starts_with('{'));
    list.delimiter() == Delimiter::Brace && !is_written
}

/// Puts the policy of the module in front of what an attribute says itself.
fn add(attribute: &mut Attribute, policy: &TokenStream, errors: &mut Errors) {
    let own = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) => TokenStream::new(),
        Meta::NameValue(value) => {
            let name = value.path.to_token_stream().to_string().replace(' ', "");
            errors.add(
                codes::FORM,
                value.eq_token.span(),
                format!("expected parentheses behind `{name}`: write `#[{name}(...)]`"),
            );
            TokenStream::new()
        }
    };
    let (further_out, own) = handed_down(own);
    let path = attribute.path().to_token_stream();
    attribute.meta = syn::parse_quote!(#path(#(#further_out)* #policy #own));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::flattened;

    fn handed_down(items: &str) -> String {
        let (handed_down, messages) = attempted(items);
        assert_eq!(messages, Vec::<String>::new(), "{items}");
        handed_down
    }

    fn attempted(items: &str) -> (String, Vec<String>) {
        let module = format!("mod m {{ {items} }}").parse().expect("tokens");
        let module = Module::read(&module).expect("a module");
        let mut errors = Errors::default();
        let tokens = module
            .with(&quote!({ authenticated }), &mut errors)
            .to_string();
        let inner = tokens
            .strip_prefix("mod m { ")
            .and_then(|rest| rest.strip_suffix(" }"));
        (inner.expect("a module").to_owned(), errors.messages())
    }

    fn tokens(text: &str) -> String {
        text.parse::<TokenStream>().expect("tokens").to_string()
    }

    #[test]
    fn handlers_get_the_policy_and_nothing_else_does() {
        let added = "#[::auth_runtime::requires({ authenticated })]";
        for item in [
            "async fn f() {}",
            "pub async fn f(Path(id): Path<u32>) -> Result<(), E> { half typed ( ) }",
            "pub(crate) async unsafe fn f<T: Send>(t: T) where T: Clone { }",
            "#[inline] async fn f() {}",
            "mod inner { async fn f() {} }",
        ] {
            let expected = tokens(&format!("{added} {item}"));
            assert_eq!(handed_down(item), expected, "{item}");
        }
        for item in [
            "fn f() {}",
            "async fn helper(db: &Db) {}",
            "struct S;",
            "struct S { x: u8 }",
            "struct S(u8);",
            "enum E { A }",
            "impl S { async fn f() {} }",
            "trait T { async fn f(); }",
            "const C: S = S { x: 1 };",
            "const fn f() {}",
            "static S: u8 = { 1 };",
            "type T = u8;",
            "use a::{b, c};",
            "macro_rules! m { () => { async fn f() {} } }",
            "#[tokio::test] async fn t() {}",
            "#[cfg(test)] mod tests { async fn f() {} }",
            "#[cfg(all(unix, test))] mod tests { async fn f() {} }",
            "async fn check(request: CheckRequest<'_>) -> bool {}",
            "async fn layer(request: Request, next: axum::middleware::Next) -> Response {}",
        ] {
            assert_eq!(handed_down(item), tokens(item), "{item}");
        }
    }

    #[test]
    fn an_attribute_of_its_own_is_added_to() {
        for (item, expected) in [
            (
                r#"#[requires(scope = "x", hide_as = 404)] async fn f() {}"#,
                r#"#[requires({ authenticated } scope = "x", hide_as = 404)] async fn f() {}"#,
            ),
            (
                "#[doc = \"f\"] #[auth_runtime::requires] async fn f() {}",
                "#[doc = \"f\"] #[auth_runtime::requires({ authenticated })] async fn f() {}",
            ),
            (
                r#"#[public(reason = "x")] async fn f() {}"#,
                r#"#[public({ authenticated } reason = "x")] async fn f() {}"#,
            ),
            (
                r#"#[crate::auth::requires(scope = "x")] async fn f() {}"#,
                r#"#[crate::auth::requires({ authenticated } scope = "x")] async fn f() {}"#,
            ),
            // A module with two attributes, one of them by another name.
            (
                r#"#[::auth_runtime::requires({ role = "r" })] async fn f() {}"#,
                r#"#[::auth_runtime::requires({ role = "r" } { authenticated })] async fn f() {}"#,
            ),
            (
                r#"#[requires(scope = "x")] struct S;"#,
                r#"#[requires({ authenticated } scope = "x")] struct S;"#,
            ),
        ] {
            assert_eq!(handed_down(item), tokens(expected), "{item}");
        }
    }

    #[test]
    fn items_are_told_apart_wherever_they_end() {
        let items =
            "use a; async fn f() {} ; const C: T = T {}; struct A; async fn g() {} struct B {}";
        let added = handed_down(items);
        assert_eq!(added.matches("requires").count(), 2, "{added}");
    }

    #[test]
    fn what_the_policy_would_not_reach_is_refused() {
        for (item, part) in [
            ("generate!();", "`generate!` writes"),
            ("generate! { async fn f() {} }", "`generate!` writes"),
            ("a::b!();", "`a::b!` writes"),
            ("include!(\"f.rs\");", "`include!` writes"),
            ("mod file;", "into a file"),
            (
                "fn f() { #[requires(scope = \"x\")] async fn g() {} }",
                "within another item",
            ),
            (
                "async fn f() { #[a::public(reason = \"x\")] async fn g() {} }",
                "within another item",
            ),
            (
                "impl A { #[requires] async fn g() {} }",
                "within another item",
            ),
            (
                "macro_rules! m { () => { #[requires] async fn g() {} } }",
                "within another item",
            ),
            (
                "const A: () = { #[cfg_attr(x, requires(y))] async fn g() {} };",
                "within another item",
            ),
            (
                "#[cfg_attr(x, inline, auth_runtime::requires(y))] async fn f() {}",
                "`cfg_attr`",
            ),
            (
                "#[cfg_attr(x, cfg_attr(z, public(reason = \"y\")))] struct S;",
                "`cfg_attr`",
            ),
            (
                "#[requires = \"x\"] async fn f() {}",
                "expected parentheses",
            ),
            (
                "async fn f(x: u8) {} async fn g() { f(1).await }",
                "`f` is called",
            ),
            (
                "async fn f(x: u8) {} fn g() { async { self::f(1).await } }",
                "`f` is called",
            ),
        ] {
            let (_, messages) = attempted(item);
            let [message] = messages.as_slice() else {
                panic!("{item}: {messages:#?}");
            };
            assert!(message.contains(part), "{item}: {message}");
        }
    }

    #[test]
    fn what_only_looks_like_it_passes() {
        for item in [
            "fn f() { let text = \"#[requires]\"; x.requires(public); }",
            "fn f() { #[cfg_attr(requires, inline)] fn g() {} }",
            "impl !Send for X {}",
            "fn f() { x.g().await; other::g().await; g(1).await_me(); g(1).x }",
            "#[cfg(test)] generate!();",
        ] {
            handed_down(&format!("{item} async fn g() {{}}"));
        }
    }

    #[test]
    fn invisible_groups_of_macros_are_seen_through() {
        let group = |text: &str| {
            let inner = text.parse().expect("tokens");
            TokenStream::from(TokenTree::from(Group::new(Delimiter::None, inner)))
        };
        let (own, item) = (
            group("#[requires(scope = \"x\")] async fn a() {}"),
            group("async fn b() {}"),
        );
        let (visibility, block, ty) = (group("pub"), group("{}"), group("u8"));
        let items = quote!(#own #item #visibility async fn c() -> #ty #block async fn d() #block);
        let added = items_of(items.clone());
        let expected = tokens(
            "#[requires(scope = \"x\")] async fn a() {} async fn b() {} pub async fn c() -> u8 {} async fn d() {}",
        );
        assert_eq!(flattened(added.clone()).to_string(), expected);
        let body = Group::new(Delimiter::Brace, items);
        let module = Module::read(&quote!(mod m #body)).expect("a module");
        let with = module.with(&quote!({ authenticated }), &mut Errors::default());
        assert_eq!(
            with.to_string().matches("{ authenticated }").count(),
            4,
            "{with}"
        );
    }

    #[test]
    fn inner_attributes_stay_at_the_top() {
        let (item, expected) = (
            "#![allow(x)] #![doc = \"y\"] async fn f() {}",
            "#![allow(x)] #![doc = \"y\"] #[::auth_runtime::requires({ authenticated })] async fn f() {}",
        );
        assert_eq!(
            handed_down(item).replace(' ', ""),
            expected.replace(' ', "")
        );
    }
}
