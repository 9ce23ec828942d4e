//! What an attribute stands on.
//!
//! Of a function only the signature is read; the body passes through, so that a half-typed one
//! still reaches the compiler and the editor.

use auth_grammar::codes;
use auth_grammar::errors::Errors;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, PathArguments, Signature, Token, Type, Visibility};

/// An item that can carry a policy.
pub(crate) enum Item {
    Handler(Box<Handler>),
    /// A unit struct, the policy of a service.
    Struct(UnitStruct),
    /// What can carry no policy, without the attributes that would say so once more.
    Other(TokenStream),
}

pub(crate) struct Handler {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: TokenStream,
    /// Whether the first parameter is a guard that was written down.
    pub(crate) writes_guard: bool,
}

pub(crate) struct UnitStruct {
    pub(crate) name: Ident,
    pub(crate) tokens: TokenStream,
}

/// axum's handlers take so many arguments, and the guard is one of them.
const MAX_PARAMETERS: usize = 16;

/// Reads an item and notes what is wrong with it; `None` if it is no item at all.
pub(crate) fn read(tokens: TokenStream, attribute: &str, errors: &mut Errors) -> Option<Item> {
    let parser = |input: ParseStream<'_>| Ok(item(input, attribute, errors));
    match parser.parse2(tokens) {
        Ok(item) => item,
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

fn item(input: ParseStream<'_>, attribute: &str, errors: &mut Errors) -> Option<Item> {
    let head = input.call(Attribute::parse_outer).and_then(|attributes| {
        let visibility = input.parse::<Visibility>()?;
        Ok((attributes, visibility))
    });
    let (mut attributes, visibility) = head.map_err(|error| errors.push(error)).ok()?;
    refuse_second_policy(&mut attributes, attribute, errors);
    let rest: TokenStream = input.fork().parse().unwrap_or_default();
    let other = quote!(#(#attributes)* #visibility #rest);

    let item = if input.peek(Token![struct]) {
        unit_struct(input, &attributes, &visibility, attribute, errors)
    } else {
        handler(input, attributes, visibility, attribute, errors)
    };
    item.or(Some(Item::Other(other)))
}

fn handler(
    input: ParseStream<'_>,
    attributes: Vec<Attribute>,
    visibility: Visibility,
    attribute: &str,
    errors: &mut Errors,
) -> Option<Item> {
    let ahead = input.fork();
    let Ok(signature) = ahead.parse::<Signature>() else {
        let span = input.span();
        let found = input.parse::<TokenStream>().unwrap_or_default();
        errors.add(codes::NOT_A_HANDLER, span, not_a_handler(&found, attribute));
        return None;
    };
    input.advance_to(&ahead);
    let body = input.parse().unwrap_or_default();
    let mut handler = Handler {
        attributes,
        visibility,
        signature,
        body,
        writes_guard: false,
    };
    check_signature(&mut handler, attribute, errors).then(|| Item::Handler(Box::new(handler)))
}

/// A handler has one policy: the second attribute is refused, and taken off, so that it is
/// refused once.
fn refuse_second_policy(attributes: &mut Vec<Attribute>, attribute: &str, errors: &mut Errors) {
    attributes.retain(|other| {
        let Some(second) = policy_attribute(other) else {
            return true;
        };
        let message = if second != attribute {
            "`#[requires]` and `#[public]` contradict each other; remove one of them"
        } else if second == "requires" {
            "a second `#[requires]`; write all requirements into one, with commas between"
        } else {
            "a second `#[public]`; remove one"
        };
        errors.add(codes::SECOND_POLICY, other.path().span(), message);
        false
    });
}

/// Whether an attribute is one of ours, by the paths that it can be reached by.
pub(crate) fn policy_attribute(attribute: &Attribute) -> Option<&'static str> {
    let path = attribute.path();
    let last = path.segments.last()?;
    let ours = match path.segments.len() {
        1 => true,
        2 => path
            .segments
            .first()
            .is_some_and(|krate| krate.ident == "auth_runtime"),
        _ => false,
    };
    let names = ["requires", "public"];
    names.into_iter().find(|name| ours && last.ident == name)
}

fn unit_struct(
    input: ParseStream<'_>,
    attributes: &[Attribute],
    visibility: &Visibility,
    attribute: &str,
    errors: &mut Errors,
) -> Option<Item> {
    let keyword = input.parse::<Token![struct]>().ok()?;
    let name = input
        .parse::<Ident>()
        .map_err(|error| errors.push(error))
        .ok()?;
    if !input.peek(Token![;]) {
        errors.add(
            codes::FIELDS,
            input.span(),
            format!(
                "`#[{attribute}]` on a struct names the policy of a service, which needs no fields; \
                 write `struct {name};`"
            ),
        );
        let _ = input.parse::<TokenStream>();
        return None;
    }
    let end = input.parse::<Token![;]>().ok()?;
    let tokens = quote!(#(#attributes)* #visibility #keyword #name #end);
    Some(Item::Struct(UnitStruct { name, tokens }))
}

/// What to do instead, by the keyword that the item begins with.
fn not_a_handler(item: &TokenStream, attribute: &str) -> String {
    let instead = item.clone().into_iter().find_map(|token| {
        Some(match token.to_string().as_str() {
            "mod" => "put it on each handler in the module",
            "impl" | "trait" => "handlers are free functions; put it on each of them",
            "enum" | "union" | "type" => "for the policy of a service, use a unit struct",
            "const" | "static" => "write `async fn` for a handler, or a unit struct for a service",
            "use" | "extern" => "put it on the handler where that is defined",
            "macro_rules" | "!" => "put it on the handlers that the macro writes",
            _ => return None,
        })
    });
    format!(
        "`#[{attribute}]` stands on a handler (an `async fn`) or on a unit struct; {}",
        instead.unwrap_or("this is neither")
    )
}

/// Notes what keeps a function from being a handler, and marks the guard. `false` if it cannot
/// even be given one.
fn check_signature(handler: &mut Handler, attribute: &str, errors: &mut Errors) -> bool {
    let signature = &handler.signature;
    if let Some(receiver) = signature.receiver() {
        errors.add(
            codes::SIGNATURE,
            receiver.self_token.span,
            format!(
                "`#[{attribute}]` stands on free functions, and this is a method; take what it \
                 needs from `State(...)`"
            ),
        );
        return false;
    }
    if signature.asyncness.is_none() {
        errors.add(
            codes::SIGNATURE,
            signature.fn_token.span,
            format!("`#[{attribute}]` stands on an `async fn`; write `async` before `fn`"),
        );
    }
    let mut guards = Vec::new();
    for (index, parameter) in signature.inputs.iter().enumerate() {
        if let Some(guard) = guard_segment(parameter) {
            guards.push((
                index,
                guard.arguments.is_none(),
                parameter.span(),
                guard.arguments.span(),
            ));
        }
    }
    for (nth, (index, is_plain, span, arguments)) in guards.iter().enumerate() {
        if nth > 0 {
            errors.add(
                codes::GUARD,
                *span,
                "a second guard; a handler has one policy, and one guard for it",
            );
        } else if *index > 0 {
            errors.add(
                codes::GUARD,
                *span,
                "the guard has to be the first parameter, so that nothing of the request is parsed \
                 before it; move it to the front",
            );
        }
        if !is_plain {
            errors.add(
                codes::GUARD,
                *arguments,
                format!("write `Guard` alone; `#[{attribute}]` completes the type"),
            );
        }
    }
    handler.writes_guard = guards.first().is_some_and(|(index, ..)| *index == 0);
    let total = signature.inputs.len() + usize::from(guards.is_empty());
    if let Some(extra) = signature
        .inputs
        .iter()
        .nth(MAX_PARAMETERS - usize::from(guards.is_empty()))
        && total > MAX_PARAMETERS
    {
        errors.add(
            codes::ARGUMENTS,
            extra.span(),
            "axum's handlers take 16 arguments, and the guard is one of them; gather some of the \
             others in a struct that derives `FromRequestParts`",
        );
    }
    true
}

/// The `Guard` in `guard: path::to::Guard`.
fn guard_segment(parameter: &FnArg) -> Option<&syn::PathSegment> {
    let FnArg::Typed(parameter) = parameter else {
        return None;
    };
    let Type::Path(path) = &*parameter.ty else {
        return None;
    };
    path.path
        .segments
        .last()
        .filter(|segment| segment.ident == "Guard")
}

impl Handler {
    /// Completes the guard that is written, or adds one in front.
    pub(crate) fn complete_guard(&mut self) {
        let name = self.signature.ident.clone();
        let written = self
            .signature
            .inputs
            .first_mut()
            .filter(|_| self.writes_guard);
        if let Some(FnArg::Typed(parameter)) = written
            && let Type::Path(path) = &mut *parameter.ty
            && let Some(guard) = path.path.segments.last_mut()
        {
            guard.arguments = PathArguments::AngleBracketed(syn::parse_quote!(<#name>));
            return;
        }
        let guard =
            syn::parse_quote_spanned!(Span::mixed_site() => _: ::auth_runtime::Guard<#name>);
        self.signature.inputs.insert(0, guard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(item: &str) -> (Option<Item>, Vec<String>) {
        let mut errors = Errors::default();
        let item = read(item.parse().expect("tokens"), "requires", &mut errors);
        (item, errors.messages())
    }

    #[test]
    fn the_first_parameter_is_a_guard_of_the_handlers_own() {
        for (written, completed) in [
            ("async fn f() {}", "_ : :: auth_runtime :: Guard < f >"),
            ("async fn f(guard: Guard) {}", "guard : Guard < f >"),
            (
                "async fn f(mut g: auth_runtime::Guard, x: u8) {}",
                "mut g : auth_runtime :: Guard < f > , x : u8",
            ),
            (
                "pub async fn f<T: Clone>(x: T) where T: Send {}",
                "_ : :: auth_runtime :: Guard < f > , x : T",
            ),
            (
                "async fn r#type(guard: Guard) {}",
                "guard : Guard < r#type >",
            ),
            // Wrong, and completed all the same, so that nothing else is reported.
            ("async fn f(guard: Guard<u8>) {}", "guard : Guard < f >"),
        ] {
            let (item, _) = read_back(written);
            let Some(Item::Handler(mut handler)) = item else {
                panic!("{written}");
            };
            handler.complete_guard();
            let inputs = &handler.signature.inputs;
            assert_eq!(quote!(#inputs).to_string(), completed, "{written}");
        }
    }

    #[test]
    fn what_stands_in_the_wrong_place_is_told_where_to_go() {
        for (item, advice) in [
            ("fn f() {}", "write `async` before `fn`"),
            ("async fn f(&self) {}", "`State(...)`"),
            ("async fn f(x: u8, guard: Guard) {}", "move it to the front"),
            ("async fn f(a: Guard, b: Guard) {}", "a second guard"),
            ("async fn f(guard: Guard<u8>) {}", "write `Guard` alone"),
            ("struct F { x: u8 }", "write `struct F;`"),
            ("struct F(u8);", "write `struct F;`"),
            ("enum F {}", "use a unit struct"),
            ("impl F {}", "put it on each of them"),
            ("trait F {}", "put it on each of them"),
            ("mod f {}", "each handler in the module"),
            ("const F: u8 = 1;", "write `async fn`"),
            ("use f::g;", "where that is defined"),
            ("macro_rules! f { () => {} }", "the macro writes"),
            ("thread_local! {}", "the macro writes"),
        ] {
            let (_, errors) = read_back(item);
            let [message] = errors.as_slice() else {
                panic!("{item}: {errors:#?}");
            };
            assert!(message.contains(advice), "{item}: {message}");
        }
    }

    #[test]
    fn a_second_policy_is_refused_once_whatever_it_stands_on() {
        for (item, count) in [
            ("#[requires(authenticated)] async fn f() {}", 1),
            (
                "#[inline] #[auth_runtime::public(reason = \"\")] async fn f() {}",
                1,
            ),
            ("#[::auth_runtime::public] struct F;", 1),
            ("#[public] enum F {}", 2),
            ("#[public] async fn f(self) {}", 2),
            ("#[other::requires] async fn f() {}", 0),
        ] {
            let (read, errors) = read_back(item);
            assert_eq!(errors.len(), count, "{item}: {errors:#?}");
            let kept = match read.expect(item) {
                Item::Handler(handler) => handler.attributes.iter().any(is_ours),
                Item::Struct(unit) => unit.tokens.to_string().contains("public"),
                Item::Other(tokens) => tokens.to_string().contains("public"),
            };
            assert!(!kept, "{item}");
        }
    }

    fn is_ours(attribute: &Attribute) -> bool {
        policy_attribute(attribute).is_some()
    }
}
