//! The item that an attribute is on.
//!
//! Only the signature of a function is parsed. The body passes through, so that a half-typed body
//! still reaches the compiler and the editor.

mod signature;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Path, Signature, Token, Visibility};

pub(crate) use self::signature::ungrouped;
pub use self::signature::{guard, policy_type};
use crate::attribute::{
    is_left_out, policy_attribute, policy_in_cfg_attr, refuse_conditional_policy,
};
use crate::errors::Errors;
use crate::{codes, tokens};

/// An item that can have a policy.
pub enum Item {
    /// An `async fn`.
    Handler(Box<Handler>),
    /// A unit struct, the policy of a service.
    Struct(UnitStruct),
    /// An item that cannot have a policy, without the attributes that would report it again.
    Other(TokenStream),
}

/// A function as it is written, without the attribute.
pub struct Handler {
    /// All other attributes.
    pub attributes: Vec<Attribute>,
    /// The visibility, such as `pub`.
    pub visibility: Visibility,
    /// The signature: all tokens before the body.
    pub signature: Signature,
    /// The body, with its braces.
    pub body: TokenStream,
}

/// A struct as it is written, without the attribute.
pub struct UnitStruct {
    /// The name of the struct.
    pub name: Ident,
    /// All tokens of the struct.
    pub tokens: TokenStream,
}

/// The maximum nesting of parentheses in a module, or before the body of a function. Parsing uses
/// stack for each level.
const MAX_DEPTH: usize = 128;

/// Reads an item and records its mistakes. Tokens that are not an item remain as they are. The guard of a
/// handler may be written with the path of `krate`.
pub fn read(
    tokens: TokenStream,
    attribute: &str,
    krate: Option<&Path>,
    errors: &mut Errors,
) -> Item {
    if let Some(span) = too_deep(&without_body(tokens.clone())) {
        refuse_depth(span, errors);
        return Item::Other(tokens);
    }
    let parser = |input: ParseStream<'_>| Ok(item(input, attribute, krate, errors));
    let item = parser.parse2(tokens.clone()).unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    item.unwrap_or(Item::Other(tokens))
}

/// Returns the place where an item is nested too deeply to be parsed.
pub(crate) fn too_deep(tokens: &TokenStream) -> Option<Span> {
    tokens::too_deep(tokens, MAX_DEPTH)
}

/// Records an item that is nested too deeply.
pub(crate) fn refuse_depth(span: Span, errors: &mut Errors) {
    let message = format!(
        "more than {MAX_DEPTH} nested parentheses in this item\n\
         help: move the innermost into items of their own"
    );
    errors.add(codes::TOO_DEEP, span, message);
}

/// Returns all tokens except the braces at the end, which are not parsed.
fn without_body(tokens: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    if matches!(tokens.last(), Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace)
    {
        tokens.pop();
    }
    tokens.into_iter().collect()
}

fn item(
    input: ParseStream<'_>,
    attribute: &str,
    krate: Option<&Path>,
    errors: &mut Errors,
) -> Option<Item> {
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
        handler(input, attributes, visibility, attribute, krate, errors)
    };
    item.or(Some(Item::Other(other)))
}

fn handler(
    input: ParseStream<'_>,
    attributes: Vec<Attribute>,
    visibility: Visibility,
    attribute: &str,
    krate: Option<&Path>,
    errors: &mut Errors,
) -> Option<Item> {
    let ahead = input.fork();
    let signature = match ahead.parse::<Signature>() {
        Ok(signature) => signature,
        Err(error) => {
            let span = input.span();
            let found = input.parse::<TokenStream>().unwrap_or_default();
            if is_function(&found) {
                let message = "the signature of the function cannot be read\n\
                               help: complete it, or write it without the newest syntax of Rust";
                errors.add(codes::UNREADABLE_SIGNATURE, error.span(), message);
            } else {
                errors.add(codes::NOT_A_HANDLER, span, not_a_handler(&found, attribute));
            }
            return None;
        }
    };
    input.advance_to(&ahead);
    let body: TokenStream = input.parse().unwrap_or_default();
    if signature::is_expanded(&signature) {
        errors.add(
            codes::SECOND_POLICY,
            Span::call_site(),
            format!(
                "the handler already has a policy, from its module or from an attribute above\n\
                 help: write this one as `#[{attribute}(...)]`: the other does not recognize \
                 another name"
            ),
        );
        return None;
    }
    if let Some(span) = belongs_to_a_type(&signature, &body) {
        errors.add(
            codes::SIGNATURE,
            span,
            format!(
                "`#[{attribute}]` is only allowed on free functions, and this function belongs \
                 to a type or a trait\n\
                 help: move it out of the type or the trait"
            ),
        );
        return None;
    }
    signature::check(&signature, attribute, krate, errors)?;
    Some(Item::Handler(Box::new(Handler {
        attributes,
        visibility,
        signature,
        body,
    })))
}

/// Returns whether `fn` is one of the words that an item begins with. `extern` may have a literal after it, and
/// an implementation may be for a type of functions.
fn is_function(item: &TokenStream) -> bool {
    let tokens = item.clone().into_iter();
    let words = tokens
        .filter(|token| !matches!(token, TokenTree::Literal(_)))
        .map_while(|token| match token {
            TokenTree::Ident(word) => Some(word),
            _ => None,
        });
    let mut words = words.take_while(|word| word != "impl");
    words.any(|word| word == "fn")
}

/// Returns the place that distinguishes a function without `self` from a free one: `Self`, or a
/// missing body.
fn belongs_to_a_type(signature: &Signature, body: &TokenStream) -> Option<Span> {
    if signature.receiver().is_some() {
        return None;
    }
    fn own_type(tokens: TokenStream) -> Option<Span> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Group(group) => own_type(group.stream()),
            TokenTree::Ident(word) if word == "Self" => Some(word.span()),
            _ => None,
        })
    }
    let first = body.clone().into_iter().next();
    let is_bodiless = matches!(first, Some(TokenTree::Punct(end)) if end.as_char() == ';');
    let bodiless = is_bodiless.then(|| signature.fn_token.span());
    own_type(signature.to_token_stream()).or(bodiless)
}

/// Rejects a second policy on a handler, and removes the attribute, so that the mistake is reported
/// once.
pub(crate) fn refuse_second_policy(
    attributes: &mut Vec<Attribute>,
    attribute: &str,
    errors: &mut Errors,
) {
    attributes.retain(|other| {
        if let Some(span) = policy_in_cfg_attr(other) {
            refuse_conditional_policy(span, errors);
            return false;
        }
        if is_left_out(other) {
            errors.add(
                codes::OUT_OF_REACH,
                Span::call_site(),
                format!(
                    "the policy of the enclosing module does not reach a renamed \
                     `#[{attribute}]`\n\
                     help: write `#[{attribute}(...)]`"
                ),
            );
            return false;
        }
        let Some(second) = policy_attribute(other) else {
            return true;
        };
        let message = if second != attribute {
            "contradiction between `#[requires]` and `#[public]`\nhelp: remove one of them"
        } else if second == "requires" {
            "duplicate `#[requires]`\n\
             help: write all requirements in one attribute, separated by commas"
        } else {
            "duplicate `#[public]`\nhelp: remove one of them"
        };
        errors.add(codes::SECOND_POLICY, other.path().span(), message);
        false
    });
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
        let span = input.span();
        let fields = input.parse::<TokenStream>().unwrap_or_default();
        let advice = match fields.into_iter().next() {
            Some(TokenTree::Group(fields)) if fields.stream().is_empty() => {
                format!("write `struct {name};`")
            }
            _ => format!("put `#[{attribute}]` on a unit struct: `struct {name}Policy;`"),
        };
        let message = format!("the policy of a service is a unit struct\nhelp: {advice}");
        errors.add(codes::FIELDS, span, message);
        return None;
    }
    let end = input.parse::<Token![;]>().ok()?;
    let tokens = quote!(#(#attributes)* #visibility #keyword #name #end);
    Some(Item::Struct(UnitStruct { name, tokens }))
}

/// Returns the advice for an item that is not a handler, by the keyword that the item begins with.
fn not_a_handler(item: &TokenStream, attribute: &str) -> String {
    let instead = item.clone().into_iter().find_map(|token| {
        Some(match token.to_string().as_str() {
            "mod" if attribute == "public" => "put it on each handler in the module",
            "mod" => {
                "write it inline, `mod name { ... }`, or put the attribute on each handler in \
                 the file"
            }
            "impl" | "trait" => {
                "move the handlers out of here, as free functions, and put it on each of them"
            }
            "enum" | "union" | "type" => "for the policy of a service, use a unit struct",
            "const" | "static" => "write `async fn` for a handler, or a unit struct for a service",
            "use" | "extern" => "put it on the definition of the handler",
            "macro_rules" | "!" => "put it on the handlers that the macro generates",
            _ => return None,
        })
    });
    format!(
        "`#[{attribute}]` is only allowed on {}\nhelp: {}",
        match attribute {
            "public" => "an `async fn` or a unit struct",
            _ => "an `async fn`, a unit struct or an inline `mod`",
        },
        instead.unwrap_or("move it to one of these")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(item: &str) -> (Item, Vec<String>) {
        let mut errors = Errors::default();
        let item = read(item.parse().expect("tokens"), "requires", None, &mut errors);
        (item, errors.messages())
    }

    #[test]
    fn misplaced_attributes_are_explained() {
        for (item, advice) in [
            ("fn f() {}", "write `async` before `fn`"),
            ("async unsafe fn f() {}", "remove `unsafe`"),
            ("async extern \"C\" fn f() {}", "remove `extern`"),
            ("async fn f(&self) {}", "`async fn f(State(service)"),
            ("async fn f(x: u8, guard: Guard) {}", "move it to the front"),
            ("async fn f(a: Guard, b: Guard) {}", "duplicate guard"),
            ("async fn f() -> Self {}", "out of the type"),
            ("async fn f(other: Self) {}", "out of the type"),
            ("async fn f();", "out of the type"),
            (
                "#[rust_analyzer::auth_runtime_left_out] async fn f() {}",
                "does not reach a renamed `#[requires]`",
            ),
            (
                "async fn f(g: Guard<policy_of_f>) {}",
                "does not recognize another name",
            ),
            ("async fn f(guard: Guard<u8>) {}", "write `Guard` alone"),
            ("async fn f(#[cfg(x)] guard: Guard) {}", "in every build"),
            ("async fn f<policy_of_f>() {}", "rename the parameter"),
            (
                "async fn f(#[allow(x)] #[cfg_attr(x, cfg(y))] guard: Guard) {}",
                "in every build",
            ),
            ("struct F { x: u8 }", "`struct FPolicy;`"),
            ("struct F(u8);", "`struct FPolicy;`"),
            ("struct F<T>;", "`struct FPolicy;`"),
            ("struct F {}", "write `struct F;`"),
            ("struct F();", "write `struct F;`"),
            ("enum F {}", "use a unit struct"),
            ("async fn f(x: ) {}", "the signature of the function cannot"),
            ("async fn f(x: u8 = 1) {}", "the newest syntax of Rust"),
            ("async extern \"C\" fn f(x: ) {}", "complete it"),
            ("fn f() -> {}", "complete it"),
            ("impl F {}", "move the handlers out of here"),
            ("impl F for fn() {}", "move the handlers out of here"),
            ("extern \"C\" { fn f(); }", "the definition of the handler"),
            ("trait F {}", "move the handlers out of here"),
            ("mod f;", "write it inline"),
            ("const F: u8 = 1;", "write `async fn`"),
            ("use f::g;", "the definition of the handler"),
            ("macro_rules! f { () => {} }", "the macro generates"),
            ("thread_local! {}", "the macro generates"),
        ] {
            let (_, errors) = read_back(item);
            let [message] = errors.as_slice() else {
                panic!("{item}: {errors:#?}");
            };
            assert!(message.contains(advice), "{item}: {message}");
        }
    }

    #[test]
    fn a_second_policy_is_refused_once() {
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
            let kept = match read {
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
