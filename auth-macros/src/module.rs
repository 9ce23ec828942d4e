//! A policy on an inline module: it is handed down to every handler in it.
//!
//! Only as much is read as it takes to tell items apart, so that a half-typed one still reaches the
//! compiler and the editor.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, Ident, Meta, Signature, Token, Type, Visibility};

use crate::item::policy_attribute;

/// An inline module.
pub(crate) struct Module {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    items: Group,
}

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

    /// The module with `policy`, which is what would stand in `#[requires(...)]`, on each handler.
    pub(crate) fn with(self, policy: &TokenStream) -> TokenStream {
        let Self {
            attributes,
            visibility,
            name,
            items,
        } = self;
        let parser = |input: ParseStream<'_>| {
            let mut handed_down = TokenStream::new();
            while !input.is_empty() {
                handed_down.extend(item(input, policy));
            }
            Ok(handed_down)
        };
        let handed_down = parser
            .parse2(items.stream())
            .unwrap_or_else(|_| items.stream());
        let mut body = Group::new(Delimiter::Brace, handed_down);
        body.set_span(items.span());
        quote!(#(#attributes)* #visibility mod #name #body)
    }
}

/// Takes the next item off, and hands the policy down to it if it is for it.
fn item(input: ParseStream<'_>, policy: &TokenStream) -> TokenStream {
    let ahead = input.fork();
    let Ok(mut attributes) = ahead.call(Attribute::parse_outer) else {
        // `#![...]`, or what nobody can read: as it is.
        return input
            .parse::<TokenTree>()
            .map_or_else(|_| TokenStream::new(), Into::into);
    };
    input.advance_to(&ahead);
    let takes_policy = takes_policy(input);
    let rest = rest_of_item(input);
    let is_test = attributes.iter().any(is_test);
    let own = attributes
        .iter_mut()
        .find_map(|attribute| Some((policy_attribute(attribute)?, attribute)));
    let added = match own {
        // Loosened on purpose, with a reason.
        Some(("public", _)) => None,
        Some((_, own)) => {
            add(own, policy);
            None
        }
        None if takes_policy && !is_test => {
            Some(quote!(#[::auth_runtime::requires(module(#policy))]))
        }
        None => None,
    };
    quote!(#added #(#attributes)* #rest)
}

/// Whether an item without a policy of its own gets that of its module: what can be a handler, and a
/// module of them. What borrows from its caller is called by somebody else than axum.
fn takes_policy(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    if ahead.parse::<Visibility>().is_err() {
        return false;
    }
    if ahead.peek(Token![mod]) {
        return true;
    }
    let Ok(signature) = ahead.parse::<Signature>() else {
        return false;
    };
    let borrows = |parameter: &FnArg| match parameter {
        FnArg::Receiver(_) => true,
        FnArg::Typed(parameter) => matches!(&*parameter.ty, Type::Reference(_)),
    };
    signature.asyncness.is_some() && !signature.inputs.iter().any(borrows)
}

/// All up to the end of an item: a semicolon, or the braces of what has some.
fn rest_of_item(input: ParseStream<'_>) -> TokenStream {
    let ahead = input.fork();
    let _ = ahead.parse::<Visibility>();
    let is_function = ahead.peek(Token![const]) && !ahead.peek2(Ident) && !ahead.peek2(Token![_]);
    let ends_at_semicolon = !is_function
        && (ahead.peek(Token![const])
            || ahead.peek(Token![static])
            || ahead.peek(Token![type])
            || ahead.peek(Token![use]));
    let mut item = TokenStream::new();
    while let Ok(token) = input.parse::<TokenTree>() {
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !ends_at_semicolon,
            _ => false,
        };
        item.extend([token]);
        if ends {
            break;
        }
    }
    item
}

/// Puts the policy of the module in front of what an attribute says itself.
fn add(attribute: &mut Attribute, policy: &TokenStream) {
    let own = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let path = attribute.path().to_token_stream();
    attribute.meta = syn::parse_quote!(#path(module(#policy), #own));
}

/// Whether an item is for tests: `#[tokio::test]`, `#[cfg(test)]`.
fn is_test(attribute: &Attribute) -> bool {
    let is_named_test = |path: &syn::Path| {
        let last = path.segments.last();
        last.is_some_and(|segment| segment.ident == "test")
    };
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let mut tokens = list.tokens.clone().into_iter();
            tokens.any(|token| token.to_string() == "test")
        }
        meta => is_named_test(meta.path()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_down(items: &str) -> String {
        let module = format!("mod m {{ {items} }}").parse().expect("tokens");
        let module = Module::read(&module).expect("a module");
        let tokens = module.with(&quote!(authenticated)).to_string();
        let inner = tokens
            .strip_prefix("mod m { ")
            .and_then(|rest| rest.strip_suffix(" }"));
        inner.expect("a module").to_owned()
    }

    fn tokens(text: &str) -> String {
        text.parse::<TokenStream>().expect("tokens").to_string()
    }

    #[test]
    fn handlers_get_the_policy_and_nothing_else_does() {
        let added = "#[::auth_runtime::requires(module(authenticated))]";
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
            "thread_local! { static X: u8 = 1; }",
            "#[tokio::test] async fn t() {}",
            "#[cfg(test)] mod tests { async fn f() {} }",
            "#[public(reason = \"x\")] async fn f() {}",
        ] {
            assert_eq!(handed_down(item), tokens(item), "{item}");
        }
    }

    #[test]
    fn an_attribute_of_its_own_is_added_to() {
        for (item, expected) in [
            (
                r#"#[requires(scope = "x", hide_as = 404)] async fn f() {}"#,
                r#"#[requires(module(authenticated), scope = "x", hide_as = 404)] async fn f() {}"#,
            ),
            (
                "#[doc = \"f\"] #[auth_runtime::requires] async fn f() {}",
                "#[doc = \"f\"] #[auth_runtime::requires(module(authenticated),)] async fn f() {}",
            ),
            (
                r#"#[requires(scope = "x")] struct S;"#,
                r#"#[requires(module(authenticated), scope = "x")] struct S;"#,
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
}
