//! The items of a module, recognized without full parsing.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, Ident, Path, Signature, Token, Type, Visibility};

use crate::attribute::{is_built_for_tests, is_conditional, is_test, policy_attribute_by_any_path};
use crate::item::ungrouped;
use crate::tokens::flattened;

/// An item of a module, as far as it is parsed.
pub(super) struct ModuleItem {
    /// The attributes of the item.
    pub(super) attributes: Vec<Attribute>,
    /// The kind of item.
    pub(super) kind: ItemKind,
    /// All tokens except the attributes.
    pub(super) rest: TokenStream,
}

/// A kind of item in a module.
pub(super) enum ItemKind {
    /// `mod name { … }`
    Module,
    /// `mod name;`
    FileModule(Ident),
    /// A function that can be a handler.
    Handler(Ident),
    /// `struct Name;`
    UnitStruct,
    /// The call of a macro, by its path.
    Macro(TokenStream),
    /// Any other item.
    Other,
}

/// Returns the items of a module without the invisible groups in which a `macro_rules` macro passes
/// on items, visibilities and blocks. Groups within an item, such as around a type, stay: they
/// group tokens that would be parsed differently without them.
pub(super) fn items_of(tokens: TokenStream) -> TokenStream {
    let mut items = TokenStream::new();
    let mut at_start = true;
    let mut after_hash = false;
    for token in tokens {
        if let TokenTree::Group(group) = &token
            && group.delimiter() == Delimiter::None
        {
            let inner = flattened(group.stream());
            let is_block = is_block(inner.clone());
            if at_start || is_block {
                items.extend(items_of(group.stream()));
                continue;
            }
        }
        at_start = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => match group.delimiter() {
                Delimiter::Brace => true,
                Delimiter::Bracket => after_hash,
                _ => false,
            },
            _ => false,
        };
        after_hash = match &token {
            TokenTree::Punct(punct) => matches!(punct.as_char(), '#' | '!'),
            _ => false,
        };
        items.extend([token]);
    }
    items
}

fn is_block(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter();
    let first = tokens.next();
    let is_brace = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    first.as_ref().is_some_and(is_brace) && tokens.next().is_none()
}

/// Removes the next item from the input.
pub(super) fn next_item(input: ParseStream<'_>) -> ModuleItem {
    let ahead = input.fork();
    let attributes = match ahead.call(Attribute::parse_outer) {
        Ok(attributes) => {
            input.advance_to(&ahead);
            attributes
        }
        // Attributes that the compiler cannot parse either.
        Err(_) => Vec::new(),
    };
    ModuleItem {
        attributes,
        kind: kind(input),
        rest: rest_of_item(input),
    }
}

/// Returns the kind of an item, by its first tokens.
fn kind(input: ParseStream<'_>) -> ItemKind {
    let ahead = input.fork();
    if ahead.parse::<Visibility>().is_err() {
        return ItemKind::Other;
    }
    let start = ahead.fork();
    if let Ok(signature) = ahead.fork().parse::<Signature>() {
        let is_handler = signature.asyncness.is_some() && !is_called_by_others(&signature);
        return if is_handler {
            ItemKind::Handler(signature.ident)
        } else {
            ItemKind::Other
        };
    }
    let named = |input: ParseStream<'_>| {
        let is_module = input.parse::<Option<Token![mod]>>()?.is_some();
        if !is_module {
            input.parse::<Token![struct]>()?;
        }
        let name: Ident = input.parse()?;
        Ok::<_, syn::Error>(match (is_module, input.peek(Token![;])) {
            (true, true) => ItemKind::FileModule(name),
            (true, false) => ItemKind::Module,
            (false, true) => ItemKind::UnitStruct,
            (false, false) => ItemKind::Other,
        })
    };
    let read = named(&ahead).ok();
    read.or_else(|| unreadable_handler(&start.fork()))
        .or_else(|| called_macro(&start))
        .unwrap_or(ItemKind::Other)
}

/// Returns the tokens of the input, each when it is asked for.
fn tokens_of(input: ParseStream<'_>) -> impl Iterator<Item = TokenTree> {
    std::iter::from_fn(|| input.parse().ok())
}

/// Recognizes a handler in syntax newer than this parser: it gets the policy, and is rejected with
/// it.
fn unreadable_handler(start: ParseStream<'_>) -> Option<ItemKind> {
    let words: Vec<Ident> = tokens_of(start)
        .map_while(|token| match token {
            TokenTree::Ident(word) => Some(word),
            _ => None,
        })
        .collect();
    let function = words.iter().position(|word| word == "fn")?;
    let (before, after) = words.split_at(function);
    let is_async = before.iter().any(|word| word == "async");
    let name = after.get(1).filter(|_| is_async);
    name.cloned().map(ItemKind::Handler)
}

/// Recognizes `path::to::macro!`, except for the definition of a macro.
fn called_macro(start: ParseStream<'_>) -> Option<ItemKind> {
    let is_path = |token: &TokenTree| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    };
    let mut tokens = tokens_of(start).peekable();
    let written: TokenStream = std::iter::from_fn(|| tokens.next_if(is_path)).collect();
    let is_called =
        matches!(tokens.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
    // Not `impl !Send`, `const X: !`, nor `else if m!()` after the first block of a constant.
    let path = Path::parse_mod_style.parse2(written.clone()).ok()?;
    // `macro_rules` is no keyword: a module or another macro can have that name.
    let is_definition =
        path.is_ident("macro_rules") && matches!(tokens.next(), Some(TokenTree::Ident(_)));
    (is_called && !is_definition).then_some(ItemKind::Macro(written))
}

/// Returns whether axum cannot call a function, or calls it as something other than a handler:
/// functions that borrow from their caller, checks, and middleware. A parameter that may be left out
/// makes it none of these.
fn is_called_by_others(signature: &Signature) -> bool {
    signature.inputs.iter().any(|parameter| match parameter {
        FnArg::Receiver(_) => true,
        FnArg::Typed(parameter) if parameter.attrs.iter().any(is_conditional) => false,
        FnArg::Typed(parameter) => match ungrouped(&parameter.ty) {
            Type::Reference(_) => true,
            Type::Path(path) => path.path.segments.last().is_some_and(|last| {
                ["CheckRequest", "Next"]
                    .iter()
                    .any(|name| last.ident == name)
            }),
            _ => false,
        },
    })
}

/// Returns the tokens up to the end of an item: a semicolon, or the closing brace. Of a constant or an import, the
/// rest after a brace is returned as another item, which is of no kind that a policy applies to.
fn rest_of_item(input: ParseStream<'_>) -> TokenStream {
    let mut item = TokenStream::new();
    while let Ok(token) = input.parse::<TokenTree>() {
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        item.extend([token]);
        if ends {
            break;
        }
    }
    item
}

impl ModuleItem {
    /// Returns whether the item is for tests.
    pub(super) fn is_test(&self) -> bool {
        self.attributes.iter().any(is_test)
    }

    /// Returns whether the item is compiled for tests only.
    pub(super) fn is_built_for_tests(&self) -> bool {
        self.attributes.iter().any(is_built_for_tests)
    }

    /// Returns whether the item has a policy attribute, or an attribute of that name.
    pub(super) fn has_policy(&self) -> bool {
        let mut attributes = self.attributes.iter();
        attributes.any(|attribute| policy_attribute_by_any_path(attribute).is_some())
    }
}

impl ToTokens for ModuleItem {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            attributes, rest, ..
        } = self;
        tokens.extend(quote!(#(#attributes)* #rest));
    }
}
