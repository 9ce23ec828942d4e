//! Common properties of all kinds of items.

use syn::{
    Attribute, ExprClosure, FnArg, GenericArgument, Ident, Item, ItemFn, Pat, PatType,
    PathArguments, Signature, Type,
};

use super::names::NameKind;
use super::text::any_word;

pub(super) fn name_of(item: &Item) -> Option<&Ident> {
    Some(match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    })
}

/// Returns the kind of name of an item. A unit struct is a value, too.
pub(super) fn kind_of(item: &Item) -> NameKind {
    match item {
        Item::Const(_) | Item::Fn(_) | Item::Static(_) => NameKind::Value,
        Item::Struct(_) => NameKind::Both,
        _ => NameKind::Type,
    }
}

pub(super) fn attributes_in(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

pub(super) fn attributes_of(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    Some(match item {
        Item::Const(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::ExternCrate(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::ForeignMod(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Macro(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        Item::Static(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::TraitAlias(item) => &mut item.attrs,
        Item::Type(item) => &mut item.attrs,
        Item::Union(item) => &mut item.attrs,
        Item::Use(item) => &mut item.attrs,
        _ => return None,
    })
}

/// Returns the parameters of a function, without a receiver.
pub(super) fn parameters_of(signature: &Signature) -> impl Iterator<Item = &PatType> {
    signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(parameter) => Some(parameter),
        FnArg::Receiver(_) => None,
    })
}

/// Returns the types of the parameters of a function.
pub(super) fn types_of(signature: &Signature) -> impl Iterator<Item = &Type> {
    parameters_of(signature).map(|parameter| &*parameter.ty)
}

/// Returns the parameters of a closure that have a written type.
pub(super) fn typed_parameters_of(closure: &ExprClosure) -> impl Iterator<Item = &PatType> {
    closure.inputs.iter().filter_map(|input| match input {
        Pat::Type(parameter) => Some(parameter),
        _ => None,
    })
}

/// Returns the policy type in the guard of a handler, if one of the types of parameters is such a guard.
pub(super) fn borrowed_guard<'t>(types: impl Iterator<Item = &'t Type>) -> Option<&'t Ident> {
    let types = types.filter_map(last_segment);
    let mut guards = types.filter(|segment| segment.ident == "Guard");
    guards.find_map(|guard| {
        let PathArguments::AngleBracketed(arguments) = &guard.arguments else {
            return None;
        };
        let Some(GenericArgument::Type(policy)) = arguments.args.first() else {
            return None;
        };
        let policy = &last_segment(policy)?.ident;
        policy
            .to_string()
            .starts_with("policy_of_")
            .then_some(policy)
    })
}

/// The types of axum by which a handler opens a stream.
const STREAMS: [&str; 2] = ["WebSocketUpgrade", "Sse"];

/// Returns the type of the stream that a handler opens, unless the handler mentions `expires`.
pub(super) fn endless_stream(function: &ItemFn) -> Option<&'static str> {
    let mut streams = STREAMS.into_iter();
    let stream = streams.find(|stream| any_word(&function.sig, &|word| word == *stream))?;
    (!any_word(&function.block, &|word| word == "expires")).then_some(stream)
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}
